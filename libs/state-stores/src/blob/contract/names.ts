import { describe, expect, test } from 'vitest'
import type { ScannedEntry } from '../port.ts'
import { sha256 } from '../hash.ts'
import { bytesOf, expectUsage, name, readAll, type Lacks, type Start } from './harness.ts'

export function describeNames(start: Start, lacks: Lacks): void {
  describe('names', () => {
    test.each([10, 100_000])('%i bytes go with the last name that leads to them', async (length) => {
      const { store } = await start()
      const bytes = bytesOf(4, length)
      await store.put({ name: name('a') }, [bytes])
      await store.put({ name: name('b', 'other') }, [bytes])
      expectUsage(store, { entries: 2, blobs: 1, sizeBytes: length })
      expect(await store.remove([name('a'), name('a'), name('a', 'other')])).toEqual(['removed', 'missing', 'missing'])
      expect(await store.open(name('a'))).toBeUndefined()
      expect((await readAll(await store.open(name('b', 'other'))))?.equals(bytes)).toBe(true)
      expect(await store.remove([name('b', 'other')])).toEqual(['removed'])
      expectUsage(store, { entries: 0, blobs: 0, sizeBytes: 0 })
      expect((await store.put({ name: name('a') }, [bytes])).outcome).toBe('created')
    })

    test.each([10, 100_000])('a name can be led to other bytes; the old %i are released', async (length) => {
      const { store } = await start()
      await store.put({ name: name('k') }, [bytesOf(5, length)])
      expect((await store.put({ name: name('k') }, [bytesOf(6, length)])).outcome).toBe('replaced')
      expect((await readAll(await store.open(name('k'))))?.equals(bytesOf(6, length))).toBe(true)
      expectUsage(store, { entries: 1, blobs: 1, sizeBytes: length })
    })

    test.skipIf(lacks.has('long-keys'))('a key may have 1024 bytes', async () => {
      const { store } = await start()
      const long = name('é'.repeat(512))
      expect((await store.put({ name: long }, [Buffer.from('long')])).outcome).toBe('created')
      expect(await readAll(await store.open(long))).toEqual(Buffer.from('long'))
    })

    test.runIf(lacks.has('long-keys'))('a key of more than 200 bytes is refused, one of 200 is not', async () => {
      const { store } = await start()
      const bytes = Buffer.from('long')
      const longest = name('é'.repeat(100))
      expect((await store.put({ name: longest }, [bytes])).outcome).toBe('created')
      expect(await readAll(await store.open(longest))).toEqual(bytes)
      expect((await store.scan('test', undefined, 5)).entries.map(({ key }) => key)).toEqual([longest.key])
      await expect(store.put({ name: name('x'.repeat(201)) }, [bytes])).rejects.toThrow(RangeError)
    })

    test('what is open stays readable when its name goes', async () => {
      const { store } = await start()
      const bytes = bytesOf(7, 800_000)
      await store.put({ name: name('k') }, [bytes])
      const open = await store.open(name('k'))
      await store.remove([name('k')])
      expect((await readAll(open))?.equals(bytes)).toBe(true)
    })

    test.runIf(lacks.has('namespaces'))('namespaces are not listed, and that is said', async () => {
      const { store } = await start()
      expect(store.namespaces()).toBeUndefined()
    })

    test.skipIf(lacks.has('namespaces'))('namespaces with entries are listed, each once', async () => {
      const { store } = await start()
      const namespaces = ['b', 'a', 'aa', 'a.b', 'z'.repeat(64), 'a-b', 'gone']
      const message = Buffer.from('m')
      await store.putSmall([{ name: name(sha256(message), 'messages'), bytes: message }])
      for (const namespace of namespaces) {
        await store.putSmall(['1', '2'].map((key) => ({ name: name(key, namespace), bytes: Buffer.from(key) })))
      }
      await store.remove([name('1', 'gone'), name('2', 'gone')])
      expect(await store.namespaces()).toEqual([...namespaces.slice(0, -1), 'messages'].toSorted())
      await store.remove([name(sha256(message), 'messages')])
      expect(await store.namespaces()).toEqual(namespaces.slice(0, -1).toSorted())
    })

    test('a scan gives every entry of one namespace once, in pages', async () => {
      const { store } = await start()
      const hex = sha256(Buffer.from('x'))
      const keys = [
        'z',
        'a',
        'ä',
        hex,
        'b'.repeat(64),
        'A/b c',
        ...Array.from({ length: 20 }, (_, index) => `${index}`),
      ]
      const entries = keys.map((key, index) => ({ name: name(key), bytes: bytesOf(index, index) }))
      await store.putSmall([...entries, { name: name('q', 'test2'), bytes: Buffer.from('q') }])
      await store.putSmall([{ name: name('p', 'tes'), bytes: Buffer.from('p') }])
      const seen: ScannedEntry[] = []
      let pages = 0
      for (let after: string | undefined; ; pages++) {
        const page = await store.scan('test', after, 5)
        expect(page.entries.length).toBeLessThanOrEqual(5)
        seen.push(...page.entries)
        if ((after = page.next) === undefined) break
      }
      expect(pages).toBe(5)
      const expected = entries.map((entry) => ({
        key: entry.name.key,
        digest: sha256(entry.bytes),
        sizeBytes: entry.bytes.length,
      }))
      expect(seen.toSorted(byKey)).toEqual(expected.toSorted(byKey))
      expect(await store.scan('nothing', undefined, 5)).toEqual({ entries: [] })
    })
  })
}

function byKey(a: ScannedEntry, b: ScannedEntry): number {
  return a.key < b.key ? -1 : 1
}
