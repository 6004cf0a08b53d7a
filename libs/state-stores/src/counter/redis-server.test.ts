import { startBackend, type RunningBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { add, one, token } from './contract/operations.ts'
import type { CounterStore } from './port.ts'
import { redisCounterStore } from './redis.ts'

// What a server does to its counters, on one that may be turned inside out.
await describeOnBackend('redis', () => {
  let server: RunningBackend
  let redis: Redis
  let store: CounterStore
  beforeAll(async () => {
    server = await startBackend('redis')
    redis = new Redis(server.url)
  })
  afterAll(async () => {
    redis.disconnect()
    await server.stop()
  })
  beforeEach(async () => {
    await redis.flushall()
    store = await redisCounterStore({ url: server.url, inspectEveryMs: 100 })
  })
  afterEach(() => store.close())

  test('short of memory it refuses writes as not applied, answers reads, and goes on when there is room', async () => {
    await one(store, add('n/a', 1n))
    await redis.config('SET', 'maxmemory', '1mb')
    await expect(store.commit([add('n/a', 1n), add('n/b', 1n)])).rejects.toThrow(NotAppliedError)
    await expect(store.commit([add('n/a', 1n)])).rejects.toThrow(/OOM/)
    await expect(store.read(['n/a', 'n/b'])).resolves.toMatchObject([{ value: 1n }, undefined])
    await redis.config('SET', 'maxmemory', '0')
    await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 2n })
  })

  test('one that is told to forget is not ready and not written to, until it is told better', async () => {
    const problem = (): Promise<string> =>
      store.check().then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : ''),
      )
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(waitUntil(problem)).resolves.toMatch(/maxmemory-policy is allkeys-lru/)
    await expect(one(store, add('n/a', 1n))).rejects.toThrow(NotAppliedError)
    await redis.config('SET', 'maxmemory-policy', 'noeviction')
    await waitUntil(async () => (await problem()) === '')
    await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 1n })
  })

  test('one that stops writing its append-only file is no longer called durable, until it writes it again', async () => {
    expect(store.capabilities).toMatchObject({ durable: true })
    await redis.config('SET', 'appendonly', 'no')
    await waitUntil(() => !store.capabilities.durable)
    expect(store.capabilities.caveat).toMatch(/no append-only file/)
    await redis.config('SET', 'appendonly', 'yes')
    await waitUntil(() => store.capabilities.durable)
  })

  test('one that becomes a replica refuses writes, and takes them as a primary again', async () => {
    await one(store, add('n/a', 1n))
    await redis.replicaof('127.0.0.1', 1)
    await expect(one(store, add('n/a', 1n))).rejects.toThrow(NotAppliedError)
    await redis.replicaof('NO', 'ONE')
    await waitUntil(() => store.check().then(() => true))
    await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 2n })
  })

  test.each([
    ['of another type', () => redis.lpush('{ballast-counter}:counter:n/b', 'x')],
    [
      'with a value that is no number',
      () => redis.hset('{ballast-counter}:counter:n/b', 'value', '1e3', 'version', '1'),
    ],
  ])('a key %s stops a batch before its first write, and stays as it is', async (_, spoil) => {
    await one(store, add('n/a', 1n))
    await spoil()
    const before = await redis.dump('{ballast-counter}:counter:n/b')
    const batch = [add('n/a', 1n, { token: token('k') }), add('n/b', 1n), add('n/c', 1n)]
    await expect(store.commit(batch)).rejects.toThrow(NotAppliedError)
    await expect(store.read(['n/a', 'n/c'])).resolves.toMatchObject([{ value: 1n }, undefined])
    expect(await redis.dump('{ballast-counter}:counter:n/b')).toEqual(before)
    expect(await redis.exists('{ballast-counter}:tokens')).toBe(0)
  })

  test('versions do not come back when it lost everything', async () => {
    const before = await one(store, add('n/a', 1n))
    await redis.flushall()
    const after = await one(store, add('n/a', 1n))
    expect(after).toMatchObject({ value: 1n })
    expect(before.ok && after.ok && after.version > before.version).toBe(true)
  })

  test('expiry goes by its clock, and what has expired is freed', async () => {
    const soon = add('n/a', 1n, { expiresAtMs: store.nowMs() + 300 })
    const later = add('n/b', 1n, { expiresAtMs: store.nowMs() + 3_600_000 })
    await store.commit([soon, later])
    await waitUntil(async () => (await store.read(['n/a']))[0] === undefined, { what: 'the counter to expire' })
    expect(Math.abs(store.nowMs() - Date.now())).toBeLessThan(5_000)
    await one(store, add('n/c', 1n))
    expect(await redis.exists('{ballast-counter}:counter:n/a')).toBe(0)
    expect(await redis.zrange('{ballast-counter}:names', 0, '-1')).toEqual(['n/b', 'n/c'])
    await expect(store.read(['n/b'])).resolves.toMatchObject([{ value: 1n }])
  })

  test('a batch of a thousand is one step', async () => {
    const ops = Array.from({ length: 1_000 }, (_, index) => add(`n/${index}`, 1n, { token: token(`k${index}`) }))
    const outcomes = await store.commit(ops)
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1_000)
    expect(await redis.keys('{ballast-counter}:batch:*')).toHaveLength(1)
  })
})
