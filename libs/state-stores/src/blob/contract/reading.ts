import { describe, expect, test } from 'vitest'
import { chunkBytes, sha256 } from '../hash.ts'
import { DamagedBlobError, type BlobStore, type Damage } from '../port.ts'
import { bytesOf, expectUsage, name, readAll, type Lacks, type Start } from './harness.ts'

export function describeReading(start: Start, lacks: Lacks): void {
  describe('reading', () => {
    test('a range is clipped, and refused when it begins behind the end', async () => {
      const { store } = await start()
      for (const length of [1000, 2 * chunkBytes + 500]) {
        const bytes = bytesOf(8, length)
        const key = name(`${length}`)
        await store.put({ name: key }, [bytes])
        const ranges: [number, number | undefined][] = [
          [0, undefined],
          [0, 1],
          [999, 1000],
          [1, undefined],
          [length - 1, length + 50],
          [500, 500],
          [chunkBytes - 1, chunkBytes + 1],
          [chunkBytes, 2 * chunkBytes],
        ]
        for (const [first, end] of ranges.filter(([from]) => from < length)) {
          const blob = await store.open(key, { start: first, ...(end === undefined ? {} : { end }) })
          expect(blob?.range).toEqual({ start: first, end: Math.min(end ?? length, length) })
          expect((await readAll(blob))?.equals(bytes.subarray(first, end)), `${first} to ${end}`).toBe(true)
        }
        await expect(store.open(key, { start: length })).rejects.toThrow(RangeError)
        await expect(store.open(key, { start: 5, end: 4 })).rejects.toThrow(RangeError)
      }
    })

    test('what can be had without waiting is what there is', async () => {
      const { store } = await start()
      expect(store.peek?.(name('nothing'))).toBeUndefined()
      for (const length of [0, 100, 100_000]) {
        const bytes = bytesOf(length, length)
        await store.put({ name: name('k') }, [bytes])
        expect(store.peek?.(name('k')) ?? bytes).toEqual(bytes)
      }
      await store.remove([name('k')])
      expect(store.peek?.(name('k'))).toBeUndefined()
    })

    test('a name that leads nowhere is undefined, and a body may be left unread', async () => {
      const { store } = await start()
      expect(await store.open(name('nothing'))).toBeUndefined()
      await store.put({ name: name('k') }, [bytesOf(9, 100_000)])
      const blob = await store.open(name('k'))
      await blob?.close()
      await blob?.close()
    })
  })

  describe('damage at rest', () => {
    test.each([
      [100, 0],
      [100, 99],
      [65_536, 40_000],
      [3 * chunkBytes, 5],
      [3 * chunkBytes, chunkBytes],
      [3 * chunkBytes, 3 * chunkBytes - 1],
    ])('of %i bytes the one at %i flipped is never given out, and is reported once', async (length, at) => {
      const { store, found, bytes } = await damaged(start, length, at)
      expect(store.peek?.(name('k'))).toBeUndefined()
      const given: Buffer[] = []
      const reading = (async () => {
        const blob = await store.open(name('k'))
        for await (const piece of blob?.body() ?? []) given.push(piece)
      })()
      await expect(reading).rejects.toThrow(DamagedBlobError)
      const before = Buffer.concat(given)
      expect(before.equals(bytes.subarray(0, before.length))).toBe(true)
      expect(before.length).toBeLessThanOrEqual(at)
      await expect(store.open(name('k'))).rejects.toThrow('set aside')
      expect(found.map(({ digest }) => digest)).toEqual([sha256(bytes)])
    })

    test.each([100, 3 * chunkBytes])('putting %i damaged bytes again makes them good', async (length) => {
      const { store, bytes } = await damaged(start, length, 7)
      await expect(store.open(name('k'))).rejects.toThrow(DamagedBlobError)
      expect((await store.put({ name: name('k') }, [bytes])).outcome).toBe('exists')
      expect((await readAll(await store.open(name('k'))))?.equals(bytes)).toBe(true)
      expectUsage(store, { entries: 1, blobs: 1, sizeBytes: length })
      expect(await store.remove([name('k')])).toEqual(['removed'])
    })

    test.runIf(lacks.has('one-copy'))(
      'a second name has bytes of its own, and leaves those of the first damaged',
      async () => {
        const { store, bytes } = await damaged(start, 3 * chunkBytes, 7)
        expect((await store.put({ name: name('other') }, [bytes])).outcome).toBe('created')
        await expect(store.open(name('k'))).rejects.toThrow(DamagedBlobError)
        expect((await readAll(await store.open(name('other'))))?.equals(bytes)).toBe(true)
      },
    )

    test.skipIf(lacks.has('one-copy'))('a second name mends the first', async () => {
      const { store, bytes } = await damaged(start, 3 * chunkBytes, 7)
      await expect(store.open(name('k'))).rejects.toThrow(DamagedBlobError)
      expect((await store.put({ name: name('other') }, [bytes])).outcome).toBe('created')
      expect((await readAll(await store.open(name('k'))))?.equals(bytes)).toBe(true)
      expectUsage(store, { entries: 2, blobs: 1 })
    })

    test('damaged bytes can be removed', async () => {
      const { store } = await damaged(start, 3 * chunkBytes, 7)
      await expect(store.open(name('k'))).rejects.toThrow(DamagedBlobError)
      expect(await store.remove([name('k')])).toEqual(['removed'])
      expectUsage(store, { entries: 0, blobs: 0, sizeBytes: 0 })
    })
  })
}

async function damaged(
  start: Start,
  length: number,
  at: number,
): Promise<{ store: BlobStore; found: Damage[]; bytes: Buffer }> {
  const found: Damage[] = []
  const { store, damage } = await start({ onDamage: (each) => void found.push(each) })
  const bytes = bytesOf(10, length)
  await store.put({ name: name('k') }, [bytes])
  await damage(sha256(bytes), at)
  return { store, found, bytes }
}
