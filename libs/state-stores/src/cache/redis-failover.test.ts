import { startRedisReplicaSet } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { ReadThrough } from './read-through.ts'
import { redisCache } from './redis.ts'

const load = async (): Promise<string> => 'from the store'

await describeOnBackend('redis', () => {
  test('a fail-over costs misses, no read; the new primary is found', async () => {
    await using set = await startRedisReplicaSet()
    await using cache = redisCache({ url: `${set.url}?nearMs=0&timeoutMs=1000` })
    const works = (): Promise<boolean> =>
      cache.check().then(
        () => true,
        () => false,
      )
    await waitUntil(works)
    const reads = new ReadThrough({ cache, load, ttlMs: 60_000, staleMs: 60_000, negativeTtlMs: 100, retryMs: 50 })
    expect(await reads.read('hot')).toBe('from the store')
    await set.primary.kill()
    expect(await reads.read('hot')).toBe('from the store')
    await set.failOver()
    await waitUntil(works)
    expect(await reads.read('hot')).toBe('from the store')
    expect(await cache.size()).toBe(1)
  }, 120_000)
})
