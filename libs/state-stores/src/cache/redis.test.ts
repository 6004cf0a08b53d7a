import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { keptWhenFailed } from '../redis/test/kept-when-failed.ts'
import { describeCacheContract } from './contract.ts'
import type { CacheStore } from './port.ts'
import { ReadThrough } from './read-through.ts'
import { redisCache } from './redis.ts'

const connected = async (cache: CacheStore): Promise<CacheStore> => {
  await waitUntil(() =>
    cache.check().then(
      () => true,
      () => false,
    ),
  )
  return cache
}
const through = (cache: CacheStore, load: () => Promise<string>): ReadThrough =>
  new ReadThrough({ cache, load, ttlMs: 60_000, staleMs: 60_000, negativeTtlMs: 100, retryMs: 50 })

await describeOnBackend('redis', ({ url }) => {
  const prefix = keptWhenFailed(url)
  let caches = 0
  const address = (name: string, more = ''): string => `${url}?prefix=${prefix}:${name}:&timeoutMs=2000${more}`
  describeCacheContract('redis', (now) => connected(redisCache({ url: address(`contract-${++caches}`), now })))

  test('of many processes that miss together one loads, and the others get its value', async () => {
    let loads = 0
    const slow = Promise.withResolvers<void>()
    const load = async (): Promise<string> => {
      loads++
      await slow.promise
      return 'value'
    }
    const all = Array.from({ length: 5 }, () => redisCache({ url: address('lease') }))
    await Promise.all(all.map(connected))
    const reads = Promise.all(all.map((cache) => through(cache, load).read('hot')))
    await waitUntil(() => loads === 1)
    slow.resolve()
    expect(await reads).toEqual(Array.from({ length: 5 }, () => 'value'))
    expect(loads).toBe(1)
    for (const cache of all) await cache.close()
  })

  test('a lease is given up by who holds it and by nobody else', async () => {
    await using cache = await connected(redisCache({ url: address('release') }))
    const release = await cache.lease?.('hot', 60_000)
    expect(await cache.lease?.('hot', 60_000)).toBeUndefined()
    await release?.()
    const again = await cache.lease?.('hot', 60_000)
    expect(again).toBeDefined()
    await release?.()
    expect(await cache.lease?.('hot', 60_000)).toBeUndefined()
  })

  test('while the server is away, silent, or was never there, a read comes from the store; then the cache is back', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    await using proxy = await startFaultProxy({ target: server.url })
    await using cache = await connected(redisCache({ url: `${proxy.url}?timeoutMs=100&nearMs=0` }))
    let loads = 0
    const reads = through(cache, async () => `value ${++loads}`)
    expect(await reads.read('hot')).toBe('value 1')
    expect(await reads.read('hot')).toBe('value 1')
    proxy.set({ drop: 'answers' })
    expect(await reads.read('hot')).toBe('value 2')
    proxy.set({ refuse: true })
    proxy.cut('reset')
    expect(await reads.read('hot')).toBe('value 3')
    await expect(cache.check()).rejects.toThrow('cannot be reached')
    proxy.heal()
    await connected(cache)
    // What was kept before is older than what the store says now, and within its time.
    expect(await reads.read('hot')).toMatch(/^value [123]$/)
    expect(loads).toBe(3)

    await using nowhere = redisCache({ url: 'redis://127.0.0.1:1' })
    expect(await through(nowhere, async () => 'from the store').read('hot')).toBe('from the store')
  })
})
