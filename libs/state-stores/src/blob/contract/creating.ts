import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../hash.ts'
import type { BlobStore } from '../port.ts'
import { bytesOf, expectUsage, name, readAll, type BlobHarness, type Lacks, type Start } from './harness.ts'

const key = name('config')

/** Two handles on one store where that can be, else the same one twice. */
async function both({ store, another }: BlobHarness): Promise<readonly BlobStore[]> {
  if (another === undefined) return [store, store]
  const second = await another()
  onTestFinished(() => second.close())
  return [store, second]
}

export function describeCreating(start: Start, lacks: Lacks, shared: boolean): void {
  describe('what must be new', () => {
    test.each([10, 100_000])('%i bytes are created once, and never replaced', async (length) => {
      const { store } = await start()
      const [first, other] = [bytesOf(1, length), bytesOf(2, length)]
      const put = (bytes: Buffer) => store.put({ name: key, onlyIfNew: true }, [bytes])
      expect(await put(first)).toEqual({ outcome: 'created', digest: sha256(first), sizeBytes: length })
      expect(await put(other)).toEqual({ outcome: 'taken', digest: sha256(first) })
      expect(await put(first)).toEqual({ outcome: 'exists', digest: sha256(first), sizeBytes: length })
      expect((await readAll(await store.open(key)))?.equals(first)).toBe(true)
      expectUsage(store, { entries: 1, blobs: 1, sizeBytes: length })
      // Any other put replaces it, and a removal sets the name free.
      expect((await store.put({ name: key }, [other])).outcome).toBe('replaced')
      expect((await put(first)).outcome).toBe('taken')
      await store.remove([key])
      expect((await put(other)).outcome).toBe('created')
      expect((await readAll(await store.open(key)))?.equals(other)).toBe(true)
    })

    test('in a list each is decided after those before it', async () => {
      const { store } = await start()
      const [a, b] = [Buffer.from('a'), Buffer.from('b')]
      const outcomes = await store.putSmall([
        { name: key, bytes: a, onlyIfNew: true },
        { name: key, bytes: b, onlyIfNew: true },
        { name: name('free'), bytes: b, onlyIfNew: true },
        { name: key, bytes: a, onlyIfNew: true, digest: sha256(a) },
      ])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['created', 'taken', 'created', 'exists'])
    })

    test('bytes that are damaged are not touched either', async () => {
      const { store, damage } = await start()
      const bytes = bytesOf(3, 100)
      await store.put({ name: key }, [bytes])
      await damage(sha256(bytes), 7)
      await expect(store.open(key)).rejects.toThrow('damaged')
      expect(await store.put({ name: key, onlyIfNew: true }, [bytes])).toEqual({
        outcome: 'taken',
        digest: sha256(bytes),
      })
    })

    test.each([10, 100_000])('of all who create one name of %i bytes at once, one does', async (length) => {
      const harness = await start()
      expect(harness.another !== undefined).toBe(shared)
      const stores = await both(harness)
      for (let round = 0; round < (lacks.has('one-commit') ? 3 : 10); round++) {
        const config = name(`config-${round}`)
        const puts = Array.from({ length: 6 }, async (_, index) => {
          const bytes = bytesOf(round * 10 + index, length)
          const { outcome } = (await stores[index % 2]?.put({ name: config, onlyIfNew: true }, [bytes])) ?? {}
          return { outcome, bytes }
        })
        const results = await Promise.all(puts)
        const created = results.find(({ outcome }) => outcome === 'created')
        const others = results.filter((result) => result !== created)
        expect(others.map(({ outcome }) => outcome)).toEqual(Array<string>(5).fill('taken'))
        for (const store of stores) {
          expect((await readAll(await store.open(config)))?.equals(created?.bytes ?? Buffer.alloc(0))).toBe(true)
        }
      }
    })
  })
}
