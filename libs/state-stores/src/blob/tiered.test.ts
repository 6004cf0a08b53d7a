import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeBlobContract } from './contract.ts'
import { bytesOf, name, readAll } from './contract/harness.ts'
import { sha256 } from './hash.ts'
import { refusePolicies } from './families.ts'
import { lmdbBlobStore } from './lmdb.ts'
import { MemoryBlobStore } from './memory.ts'
import type { BlobStore } from './port.ts'
import { tieredBlobStore, type TierRead } from './tiered.ts'

describeBlobContract(
  'tiered',
  async (options) => {
    refusePolicies(options.families, 'the store behind it')
    const [store, cache] = [new MemoryBlobStore(options), new MemoryBlobStore()]
    const tiered = tieredBlobStore({ store, cache })
    return {
      store: tiered,
      // At rest in both, or the cache would answer.
      damage: async (digest, at) => {
        store.damage(digest, at)
        const { entries } = await cache.scan('tier', undefined, 1_000)
        await cache.remove(entries.map(({ key }) => name(key, 'tier')))
      },
    }
  },
  { durable: false, shared: false, lacks: ['policies'] },
)

const [small, large] = [bytesOf(1, 1_000), bytesOf(2, 600_000)]

interface Tiers {
  readonly tiered: BlobStore
  readonly store: MemoryBlobStore
  readonly cache: BlobStore
  readonly reads: TierRead[]
  readonly kept: () => Promise<number>
}

async function tiers(quotaBytes = 10_000_000): Promise<Tiers> {
  const folder = await temporaryFolder()
  const cache = await lmdbBlobStore({ path: folder.path, quotaBytes, families: { tier: { whenFull: 'evict' } } })
  const store = new MemoryBlobStore()
  const reads: TierRead[] = []
  const tiered = tieredBlobStore({ store, cache, onRead: (outcome) => reads.push(outcome) })
  onTestFinished(async () => {
    await tiered.close()
    await folder[Symbol.asyncDispose]()
  })
  await tiered.putSmall([{ name: name('small'), bytes: small }])
  await tiered.put({ name: name('large') }, [large])
  const kept = async (): Promise<number> => (await cache.scan('tier', undefined, 1_000)).entries.length
  return { tiered, store, cache, reads, kept }
}

test('what was read to the end comes from the cache, ranges of it too', async () => {
  const { tiered, reads, kept } = await tiers()
  expect(await readAll(await tiered.open(name('large'), { start: 5, end: 9 }))).toEqual(large.subarray(5, 9))
  for (let time = 0; time < 2; time++) {
    for (const [key, bytes] of Object.entries({ small, large })) {
      expect((await readAll(await tiered.open(name(key))))?.equals(bytes)).toBe(true)
    }
    await waitUntil(async () => (await kept()) === 2)
  }
  expect(await readAll(await tiered.open(name('large'), { start: 5, end: 9 }))).toEqual(large.subarray(5, 9))
  expect(reads).toEqual(['miss', 'miss', 'miss', 'hit', 'hit', 'hit'])
})

test('what the reader has done with and gives back, the cache still has', async () => {
  await using folder = await temporaryFolder()
  // Long enough that what was given back is read into again.
  const long = bytesOf(3, 3_000_000)
  const cache = new MemoryBlobStore()
  await using tiered = tieredBlobStore({ store: await lmdbBlobStore({ path: folder.path }), cache })
  await tiered.put({ name: name('long') }, [long])
  const blob = await tiered.open(name('long'))
  for await (const piece of blob?.body() ?? []) blob?.release?.(piece)
  await waitUntil(() => cache.usage().entries === 1)
  expect((await readAll(await tiered.open(name('long'))))?.equals(long)).toBe(true)
})

test('what the store no longer has, or has otherwise, is not read from the cache', async () => {
  const { tiered, store, kept } = await tiers()
  await readAll(await tiered.open(name('small')))
  await readAll(await tiered.open(name('large')))
  await waitUntil(async () => (await kept()) === 2)
  await store.remove([name('large')])
  await store.put({ name: name('small') }, [Buffer.from('another')])
  expect(await tiered.open(name('large'))).toBeUndefined()
  expect((await readAll(await tiered.open(name('small'))))?.toString()).toBe('another')
})

test('who leaves early leaves nothing in the cache, and holds nobody up', async () => {
  const { tiered, kept } = await tiers()
  const blob = await tiered.open(name('large'))
  for await (const piece of blob?.body() ?? []) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  await blob?.close()
  expect((await readAll(await tiered.open(name('large'))))?.equals(large)).toBe(true)
  await tiered.open(name('small')).then((open) => open?.close())
  await waitUntil(async () => (await kept()) >= 1)
})

test('damage in the store goes past the cache to the reader, and stays out of it', async () => {
  const { tiered, store, kept } = await tiers()
  store.damage(sha256(large))
  await expect(tiered.open(name('large')).then(readAll)).rejects.toThrow('damaged')
  expect(await kept()).toBe(0)
})

test('a cache that is full makes room, and one that breaks is no error of the store', async () => {
  const { tiered, cache, reads, kept } = await tiers(large.length + 10)
  await readAll(await tiered.open(name('small')))
  await waitUntil(async () => (await kept()) === 1)
  await readAll(await tiered.open(name('large')))
  await waitUntil(
    async () => (await cache.stat([{ namespace: 'tier', key: sha256(Buffer.from('test/large')) }]))[0] !== undefined,
  )
  expect(await kept()).toBe(1)
  await cache.close()
  expect((await readAll(await tiered.open(name('large'))))?.equals(large)).toBe(true)
  await waitUntil(() => reads.includes('failed'))
})
