import { waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../run.ts'
import { redisReply } from './redis-reply.ts'
import { startRedisReplicaSet } from './redis-replica-set.ts'

const isMissing = findProgram('redis-server') === undefined && process.env['BACKENDS'] !== 'all'

describe.skipIf(isMissing)('several Redis servers', () => {
  test('a replica that is promoted by hand stays what it became, over its restart as well', async () => {
    await using set = await startRedisReplicaSet({ durability: 'process' })
    await redisReply(set.primary.url, ['SET', 'kept', 'yes'])
    await waitUntil(async () => (await redisReply(set.replicas[0]?.url ?? '', ['GET', 'kept'])) === 'yes')
    await set.primary.kill()
    const promoted = await set.failOver()
    expect(promoted).toBe(set.replicas[0])
    await expect(redisReply(promoted.url, ['GET', 'kept'])).resolves.toBe('yes')
    await promoted.restart()
    await expect(redisReply(promoted.url, ['SET', 'kept', 'still'])).resolves.toBe('OK')
  })

  test('a primary that runs is demoted and follows', async () => {
    await using set = await startRedisReplicaSet()
    const promoted = await set.failOver()
    await expect(redisReply(set.primary.url, ['SET', 'a', '1'])).rejects.toThrow('READONLY')
    await redisReply(promoted.url, ['SET', 'a', '2'])
    await waitUntil(async () => (await redisReply(set.primary.url, ['GET', 'a'])) === '2')
    await set.failOver()
    await expect(set.current()).resolves.toBe(set.primary)
  })

  test('Sentinels promote a replica by themselves, and demote the old primary when it is back', async () => {
    await using set = await startRedisReplicaSet({ sentinels: 3 })
    expect(set.sentinelUrl).toMatch(/^redis:\/\/127\.0\.0\.1:\d+,127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\?sentinel=ballast$/)
    await set.primary.kill()
    const promoted = await waitUntil(() => set.current().catch(() => undefined), { timeoutMs: 60_000 })
    expect(promoted).toBe(set.replicas[0])
    await set.primary.restart()
    await waitUntil(
      () =>
        redisReply(set.primary.url, ['SET', 'a', '1']).then(
          () => false,
          (error: Error) => error.message.startsWith('READONLY'),
        ),
      { timeoutMs: 60_000, what: 'the old primary to follow' },
    )
  })
})
