import { describe, expect, test } from 'vitest'
import { sha256 } from '../hash.ts'
import type { BlobStore, Damage, ScrubPage } from '../port.ts'
import { bytesOf, name, readAll, type Lacks, type Start } from './harness.ts'

/** The sum of all pages. */
async function scrubAll(
  store: BlobStore,
  limit: number,
  pace?: (sizeBytes: number) => Promise<void>,
): Promise<ScrubPage> {
  let sum = { blobs: 0, sizeBytes: 0, damaged: 0 }
  for (let after: string | undefined; ;) {
    const page = await store.scrub({
      limit,
      ...(after === undefined ? {} : { after }),
      ...(pace === undefined ? {} : { pace }),
    })
    if (page === undefined) throw new Error('it does not scrub')
    const { blobs, sizeBytes, damaged, next } = page
    expect(blobs).toBeLessThanOrEqual(limit)
    sum = { blobs: sum.blobs + blobs, sizeBytes: sum.sizeBytes + sizeBytes, damaged: sum.damaged + damaged }
    if (next === undefined) return sum
    after = next
  }
}

export function describeScrub(start: Start, lacks: Lacks): void {
  describe('scrub', () => {
    test.runIf(lacks.has('scrub'))('is not there, and says so', async () => {
      const { store } = await start()
      expect(store.scrub({ limit: 1 })).toBeUndefined()
    })

    if (lacks.has('scrub')) return

    test.each([1, 3, 100])('reads every blob once, in pages of %i', async (limit) => {
      const { store } = await start()
      const lengths = [0, 10, 5_000, 70_000, 600_000]
      for (const [index, length] of lengths.entries()) {
        await store.put({ name: name(`${index}`) }, [bytesOf(index, length)])
        await store.put({ name: name(`${index}`, 'again') }, [bytesOf(index, length)])
      }
      let paced = 0
      const found = await scrubAll(store, limit, async (sizeBytes) => void (paced += sizeBytes))
      expect(found).toEqual({ blobs: 5, sizeBytes: 675_010, damaged: 0 })
      expect(paced).toBe(675_010)
    })

    test.each([
      [100, 0],
      [100, 99],
      [600_000, 0],
      [600_000, 262_143],
      [600_000, 262_144],
      [600_000, 599_999],
    ])('of %i bytes a bit that flipped at %i is found, set aside, and told once', async (length, at) => {
      const told: Damage[] = []
      const { store, damage } = await start({ onDamage: (each) => told.push(each) })
      const bytes = bytesOf(1, length)
      await store.put({ name: name('bad') }, [bytes])
      await store.put({ name: name('good') }, [bytesOf(2, length)])
      await damage(sha256(bytes), at)
      expect(await scrubAll(store, 10)).toMatchObject({ blobs: 2, damaged: 1 })
      expect(await scrubAll(store, 10)).toMatchObject({ blobs: 2, damaged: 1 })
      expect(told.map(({ digest }) => digest)).toEqual([sha256(bytes)])
      await expect(store.open(name('bad'))).rejects.toThrow('damaged')
      expect(await readAll(await store.open(name('good')))).toHaveLength(length)
      await store.put({ name: name('bad') }, [bytes])
      expect(await scrubAll(store, 10)).toMatchObject({ blobs: 2, damaged: 0 })
    })

    test('one that goes meanwhile is no damage; an error of the pace ends it', async () => {
      const { store } = await start()
      for (const key of [1, 2, 3]) await store.put({ name: name(`${key}`) }, [bytesOf(key, 300_000)])
      const found = await scrubAll(store, 10, async () => {
        await store.remove([1, 2, 3].map((key) => name(`${key}`)))
      })
      expect(found.damaged).toBe(0)
      await store.put({ name: name('4') }, [bytesOf(4, 300_000)])
      const stopped = scrubAll(store, 10, async () => {
        throw new Error('stop')
      })
      await expect(stopped).rejects.toThrow('stop')
      expect((await scrubAll(store, 10)).damaged).toBe(0)
    })
  })
}
