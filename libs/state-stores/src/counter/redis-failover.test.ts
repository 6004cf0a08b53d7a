import { setTimeout as delay } from 'node:timers/promises'
import { startRedisReplicaSet } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { RedisConnection } from '../redis/connection.ts'
import { asNumber } from '../redis/reply.ts'
import { parseRedisUrl } from '../redis/url.ts'
import { redisCounterStore } from './redis.ts'

await describeOnBackend('redis', () => {
  test('over a fail-over no addition is doubled: the new primary has each token once, and a value that agrees', async () => {
    await using set = await startRedisReplicaSet({ durability: 'process' })
    await using store = await redisCounterStore({ url: set.url, timeoutMs: 2_000, resolveMs: 2_000 })
    let [sent, answered] = [0, 0]
    const stopping = new AbortController()
    const errors = new Set<string>()
    const client = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const token = { scope: 'test', key: `addition ${++sent}`, fingerprint: 'add 1' }
        for (let done = false; !done;) {
          try {
            const [outcome] = await store.commit([{ kind: 'add', name: 'test/a', by: 1n, token }])
            expect(outcome).toMatchObject({ ok: true })
            answered += 1
            done = true
          } catch (error) {
            errors.add(error instanceof Error ? error.name : String(error))
            await delay(10)
          }
        }
      }
    }
    const clients = Promise.all(Array.from({ length: 4 }, client))
    await waitUntil(() => answered > 300, { timeoutMs: 60_000 })
    await set.primary.kill()
    const promoted = await set.failOver()
    const wanted = answered + 300
    await waitUntil(() => answered > wanted, { timeoutMs: 60_000 })
    stopping.abort()
    await clients
    for (const name of errors) expect(['NotAppliedError', 'OutcomeUnknownError']).toContain(name)
    const [counter] = await store.read(['test/a'])
    await using direct = await RedisConnection.open({ target: parseRedisUrl(promoted.url, []), name: 'test' })
    const tokens = asNumber(await direct.send(['HLEN', '{ballast-counter}:tokens']))
    expect(counter?.value).toBe(BigInt(tokens))
    // What is missing had been answered by the old primary and was not with its replica yet.
    expect(tokens).toBeLessThanOrEqual(answered)
    expect(tokens).toBeGreaterThanOrEqual(300)
  }, 180_000)

  test('a planned change of primary is a definite refusal, after which the new one is used', async () => {
    await using set = await startRedisReplicaSet()
    await using store = await redisCounterStore({ url: set.url })
    await store.commit([{ kind: 'add', name: 'test/a', by: 1n }])
    await set.failOver()
    const refused = store.commit([{ kind: 'add', name: 'test/a', by: 1n }])
    await expect(refused).rejects.toBeInstanceOf(NotAppliedError)
    await expect(refused).rejects.toThrow(/of these 127\.0\.0\.1:\d+\) refused .*READONLY/)
    const [outcome] = await waitUntil(() => store.commit([{ kind: 'add', name: 'test/a', by: 1n }]))
    expect(outcome).toMatchObject({ ok: true, value: 2n })
  }, 120_000)
})
