import { temporaryFolder, waitUntil } from '@ballast/testing'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlobOptions } from '../port.ts'
import { lmdbBlobStore } from '../lmdb.ts'

const minuteMs = 60_000
const evict = { families: { a: { whenFull: 'evict', quotaBytes: 300 } } } as const

async function opened<Result>(
  path: string,
  options: BlobOptions,
  use: (store: Awaited<ReturnType<typeof lmdbBlobStore>>) => Promise<Result>,
): Promise<Result> {
  await using store = await lmdbBlobStore({ path, ...options })
  return await use(store)
}

const bytes = (seed: number): Buffer => Buffer.alloc(100, seed)
const entry = (key: number) => ({ name: { namespace: 'a', key: `${key}` }, bytes: bytes(key) })
const keys = async (store: Awaited<ReturnType<typeof lmdbBlobStore>>): Promise<string> =>
  (await store.scan('a', undefined, 100)).entries.map(({ key }) => key).join('')

test('the order of use survives the process; a family that begins to evict knows what is there', async () => {
  await using folder = await temporaryFolder()
  let nowMs = minuteMs
  const now = (): number => (nowMs += minuteMs)
  // Before there was a policy: nothing is known of their use.
  await opened(folder.path, { now }, (store) => store.putSmall([entry(1), entry(2)]))
  await opened(folder.path, { ...evict, now }, (store) => store.putSmall([entry(3)]))
  await opened(folder.path, { ...evict, now }, async (store) => {
    await (await store.open({ namespace: 'a', key: '1' }))?.close()
    await store.putSmall([entry(4)])
    expect(await keys(store)).toBe('134')
  })
  // Without the policy one is written that the order does not know; then it is made anew.
  await opened(folder.path, { now }, (store) => store.putSmall([entry(5)]))
  await opened(folder.path, { ...evict, now }, async (store) => {
    await store.putSmall([entry(6), entry(7), entry(8)])
    expect(await keys(store)).toBe('678')
    expect(store.usage()).toMatchObject({ entries: 3, families: { a: { entries: 3, sizeBytes: 300 } } })
  })
})

const filesIn = async (path: string): Promise<string[]> =>
  (await readdir(join(path, 'files'), { recursive: true })).filter((name) => name.includes('/'))

test('the file of a large entry goes with it', async () => {
  await using folder = await temporaryFolder()
  const options = { families: { a: { whenFull: 'evict', quotaBytes: 250_000 } } } as const
  await opened(folder.path, options, async (store) => {
    for (const key of [1, 2, 3]) await store.put({ name: entry(key).name }, [Buffer.alloc(100_000, key)])
    await waitUntil(async () => (await filesIn(folder.path)).length === 2)
    expect(await keys(store)).toBe('23')
  })
})

test('two processes that share a folder keep one quota and one order', async () => {
  await using folder = await temporaryFolder()
  await opened(folder.path, evict, (one) =>
    opened(folder.path, evict, async (two) => {
      for (let key = 1; key <= 9; key++) await (key % 2 === 0 ? one : two).putSmall([entry(key)])
      expect(await keys(one)).toBe('789')
      expect(await keys(two)).toBe('789')
      expect(two.usage()?.families).toEqual({ a: { entries: 3, sizeBytes: 300 } })
    }),
  )
})

test('whatever is written, quotas hold, what is kept stays, and the count is right', { timeout: 60_000 }, async () => {
  const step = fc.record({
    namespace: fc.constantFrom('a', 'a.x', 'b', 'keep'),
    key: fc.constantFrom('1', '2', '3', '4'),
    seed: fc.nat(5),
    length: fc.constantFrom(0, 50, 100, 400),
    remove: fc.boolean(),
  })
  const options: BlobOptions = {
    quotaBytes: 1_000,
    families: { a: { whenFull: 'evict', quotaBytes: 450 }, b: { whenFull: 'evict' } },
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      await using folder = await temporaryFolder()
      await opened(folder.path, options, async (store) => {
        const kept = new Map<string, string>()
        for (const { namespace, key, seed, length, remove } of steps) {
          const name = { namespace, key }
          if (remove && seed < 2) {
            await store.remove([name])
            if (namespace === 'keep') kept.delete(key)
            continue
          }
          const [outcome] = await store.putSmall([{ name, bytes: Buffer.alloc(length, seed) }])
          if (namespace === 'keep' && outcome !== undefined && 'digest' in outcome) kept.set(key, outcome.digest)
        }
        const counted: Record<string, { entries: number; sizeBytes: number }> = {}
        for (const namespace of ['a', 'a.x', 'b', 'keep']) {
          const family = namespace[0] === 'a' ? 'a' : namespace
          for (const { sizeBytes } of (await store.scan(namespace, undefined, 100)).entries) {
            const before = counted[family] ?? { entries: 0, sizeBytes: 0 }
            counted[family] = { entries: before.entries + 1, sizeBytes: before.sizeBytes + sizeBytes }
          }
        }
        const usage = store.usage()
        expect(usage?.families).toEqual(counted)
        expect(usage?.sizeBytes).toBeLessThanOrEqual(1_000)
        expect(counted['a']?.sizeBytes ?? 0).toBeLessThanOrEqual(450)
        const found = (await store.scan('keep', undefined, 100)).entries.map(({ key, digest }) => [key, digest])
        expect(new Map(found.map(([key = '', digest = '']) => [key, digest]))).toEqual(kept)
      })
    }),
    { numRuns: 25 },
  )
})

test('a cursor that was made up shows nothing of another namespace', async () => {
  await using folder = await temporaryFolder()
  await opened(folder.path, {}, async (store) => {
    for (const namespace of ['a', 'cas', 'zzz']) {
      await store.putSmall([1, 2].map((key) => ({ name: { namespace, key: `${namespace}${key}` }, bytes: bytes(key) })))
    }
    for (const after of ['', 'AA', '____', '!', 'A2Nhcw', Buffer.from('\u0003zzz').toString('base64url')]) {
      const { entries } = await store.scan('cas', after, 100)
      expect(entries.filter(({ key }) => !key.startsWith('cas'))).toEqual([])
    }
  })
})
