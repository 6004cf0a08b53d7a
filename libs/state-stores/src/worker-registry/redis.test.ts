import { startBackend, type RunningBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { keptWhenFailed } from '../redis/test/kept-when-failed.ts'
import { RedisConnection } from '../redis/connection.ts'
import { asText, asRecord } from '../redis/reply.ts'
import { parseRedisUrl } from '../redis/url.ts'
import { describeWorkerRegistryContract } from './contract.ts'
import { openWorkerRegistry } from './open.ts'
import type { WorkerRegistry } from './port.ts'
import { redisWorkerRegistry } from './redis.ts'

const connected = async (registry: WorkerRegistry): Promise<WorkerRegistry> => {
  await waitUntil(() => registry.check().then(() => true))
  return registry
}
const names = async (registry: WorkerRegistry): Promise<string[]> =>
  (await registry.alive()).map((worker) => worker.name)
const beat = (registry: WorkerRegistry): Promise<void> => registry.announce({ name: 'a', details: {} }, 60_000)
const adminOf = ({ url }: RunningBackend): Promise<RedisConnection> =>
  RedisConnection.open({ target: parseRedisUrl(url, []), name: 'test-admin', mayForget: true })

await describeOnBackend('redis', ({ url }) => {
  const prefix = keptWhenFailed(url)
  let registries = 0
  describeWorkerRegistryContract('redis', (now) =>
    connected(redisWorkerRegistry({ url: `${url}?hash=${prefix}:${++registries}&timeoutMs=5000`, now })),
  )

  test('two processes see one another by the time of the server, and a person sees them with HGETALL', async () => {
    const key = `${prefix}:shared`
    const [one, two] = await Promise.all(
      [1, 2].map(async () => connected(await openWorkerRegistry(`${url}?hash=${key}`))),
    )
    await one?.announce({ name: 'one', details: { rows: '50' } }, 60_000)
    await two?.announce({ name: 'two', details: {} }, 60_000)
    expect(await names(one ?? redisWorkerRegistry({ url }))).toEqual(['one', 'two'])
    await using admin = await RedisConnection.open({ target: parseRedisUrl(url, []), name: 'test-admin' })
    const shown = asRecord(await admin.send(['HGETALL', key]))
    expect(asText(shown.get('one'))).toMatch(/^\{"untilMs":1\d{12},"details":\{"rows":"50"\}\}$/)
    await one?.announce({ name: 'brief', details: {} }, 1)
    await waitUntil(async () => two !== undefined && (await names(two)).length === 2)
    await one?.close()
    await two?.close()
  })

  test('a server that is emptied, restarted or paused: calls reject in time, and a heartbeat later all is there again', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    await using registry = await connected(redisWorkerRegistry({ url: `${server.url}?timeoutMs=500` }))
    await using admin = await adminOf(server)
    await beat(registry)
    await admin.send(['DEL', 'workers'])
    expect(await names(registry)).toEqual([])
    await beat(registry)
    expect(await names(registry)).toEqual(['a'])
    await admin.send(['FLUSHALL'])
    await beat(registry)
    expect(await names(registry)).toEqual(['a'])
    await server.restart()
    await connected(registry)
    expect(await names(registry)).toEqual([])
    await beat(registry)
    expect(await names(registry)).toEqual(['a'])
    await server.pause()
    await expect(beat(registry)).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+ did not answer/)
    await expect(registry.alive()).rejects.toThrow(/Redis at 127\.0\.0\.1:\d+/)
    await server.resume()
    await connected(registry)
    await beat(registry)
    expect(await names(registry)).toEqual(['a'])
  }, 120_000)

  test('it opens without a server, and says so', async () => {
    await using registry = await openWorkerRegistry('redis://127.0.0.1:1')
    await expect(beat(registry)).rejects.toThrow('Redis at 127.0.0.1:1 cannot be reached')
    await expect(openWorkerRegistry('etcd://me:s3cret@host')).rejects.toThrow(/^no worker registry for "etcd:"/)
  })
})
