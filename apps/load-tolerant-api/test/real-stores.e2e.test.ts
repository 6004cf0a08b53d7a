import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { startFaultProxy } from '@ballast/fault-proxy'
import { parseRedisUrl, RedisConnection } from '@ballast/state-stores/redis'
import { openPartitions, openStream } from '@ballast/state-stores/stream'
import { freePort, temporaryFolder, waitUntil } from '@ballast/testing'
import { afterAll, expect, test } from 'vitest'
import { get, idsOf, load, type Told } from './load-client.ts'
import { describeOnRealStores } from './real-stores.ts'
import { run, start, stop } from './system.ts'

/** Of api, consumer, Redis and document store, one to all four of them at the same moment. */
const kills = Number(process.env['REAL_STORES_KILLS'] ?? 20)
const partitions = process.env['REAL_STORES_PARTITIONS'] ?? '1'
const commandsPerSecond = 100

/** Exit code, number of sentences and the text of an api that must not start. */
async function refused(stream: string, documents: string) {
  await using process = run('api', ['--listen', '127.0.0.1:0', '--stream', stream, '--documents', documents])
  const { code } = await process.exit
  return [code, process.stderr.length, process.stderr.join('\n')]
}

const login = (url: string): string => url.replace('//', '//default:my-secret@')

await describeOnRealStores(({ redis, mongodb }) => {
  afterAll(async () => {
    await redis.stop()
    await mongodb.stop()
  })

  test(
    'kill -9 of api, consumer, Redis and MongoDB under load: every acknowledged id is stored once, the cap holds',
    async () => {
      await using folder = await temporaryFolder()
      await using proxy = await startFaultProxy({ target: mongodb.url, mongo: { perSecond: commandsPerSecond } })
      const timeouts = 'socketTimeoutMS=15000&serverSelectionTimeoutMS=5000'
      const args = ['--stream', `${redis.url}?timeoutMs=2000`, '--documents', `${proxy.url}&${timeouts}`]
      const port = await freePort()
      const seed = Date.now() % 1_000_000
      let random = seed
      /** Numerical Recipes' generator: the order of the victims repeats from the seed. */
      const next = (below: number): number => {
        random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
        return Math.floor((random / 2 ** 32) * below)
      }
      const startApi = () =>
        start(
          'api',
          [...args, '--cache', `${redis.url}?prefix=cache:`, '--partitions', partitions],
          `127.0.0.1:${port}`,
        )
      const limits = ['--commands-per-second', String(commandsPerSecond), '--max-batch-bytes', '2MiB']
      const startConsumer = () => start('consumer', [...args, '--claim-timeout-ms', '1000', ...limits])

      const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
      const done = new AbortController()
      let api = await startApi()
      let consumer = await startConsumer()
      const die = { api: () => stop(api, 'SIGKILL'), consumer: () => stop(consumer, 'SIGKILL') }
      const victims = {
        api: async () => void (api = await startApi()),
        consumer: async () => void (consumer = await startConsumer()),
        redis: async () => {
          await redis.kill()
          await redis.restart()
        },
        mongodb: async () => {
          await mongodb.kill()
          await mongodb.restart()
        },
      }
      const names = ['api', 'consumer', 'redis', 'mongodb'] as const
      const killed: string[] = []
      const clients = load(() => `http://127.0.0.1:${port}`, 8, told, done.signal)
      try {
        for (let count = 0; count < kills;) {
          const wanted = told.acknowledged.length + 100 + next(1500)
          await waitUntil(() => told.acknowledged.length > wanted, {
            timeoutMs: 120_000,
            what: `load after ${killed.join(', ')}, seed ${seed}`,
          })
          const left = [...names]
          const together = Array.from({ length: Math.min(kills - count, 1 + next(names.length)) }, () =>
            left.splice(next(left.length), 1),
          ).flat()
          count += together.length
          killed.push(together.join(' + '))
          const stores = together.filter((name) => name === 'redis' || name === 'mongodb')
          const processes = together.filter((name) => name === 'api' || name === 'consumer')
          // All die at once; a service starts when its stores are there.
          await Promise.all([...processes.map((name) => die[name]()), ...stores.map((name) => victims[name]())])
          await Promise.all(processes.map((name) => victims[name]()))
        }
        const wanted = told.acknowledged.length + 300
        await waitUntil(() => told.acknowledged.length > wanted, {
          timeoutMs: 120_000,
          what: 'load after the last kill',
        })
      } finally {
        done.abort()
        await clients
      }
      {
        await using stream = await openPartitions(redis.url)
        await waitUntil(async () => (await stream.backlog()).entries === 0, {
          timeoutMs: 300_000,
          what: `the queue to be empty after ${killed.join(', ')}, seed ${seed}`,
        })
      }
      expect(await stop(api)).toBe(0)
      expect(await stop(consumer)).toBe(0)

      const journal = join(folder.path, 'acknowledged')
      await writeFile(journal, told.acknowledged.map((id) => `${id}\n`).join(''))
      const limit = ['--max-unacknowledged', String(told.unknown * 5)]
      // With time-outs of its own: how long a busy machine takes to answer is not what is verified.
      const patient = ['--stream', redis.url, '--documents', mongodb.url]
      await using verify = run('verify', [...patient, '--acknowledged', journal, ...limit, '--json'])
      const { code } = await verify.exit
      expect({ code, report: JSON.parse(verify.stdout.join('')), killed, seed }).toMatchObject({
        code: 0,
        report: { ok: true, acknowledged: told.acknowledged.length, dead: 0, totalQueued: 0 },
      })
      expect(proxy.writeCommands?.count).toBeGreaterThan(0)
      expect(proxy.writeCommands?.worstSecond).toBeLessThanOrEqual(commandsPerSecond)
    },
    180_000 + kills * 30_000,
  )

  test('what other programs put into the stream is stored when it is a document and dead when it is not', async () => {
    const args = ['--stream', `${redis.url}?stream=foreign`, '--documents', mongodb.url.replace('/?', '/foreign?')]
    await using writer = await RedisConnection.open({ target: parseRedisUrl(redis.url, []), name: 'seed' })
    await using api = await start('api', args)
    const answer = await get(`${api.url}/api/data`)
    expect([answer.status, answer.headers['durability']]).toEqual([200, 'fsynced-local=?1, replicas=0'])
    const [id = ''] = idsOf(answer.body)
    expect(JSON.parse((await get(`${api.url}/api/writes/${id}`)).body)).toMatchObject({ id, state: 'queued' })
    const own = '650000000102030405000001'
    for (const fields of [
      ['data', `{"_id":"${own}","type":"write","index":1}`],
      ['data', '{"type":"write","index":2,"payload":"of the seed"}'],
      ['data', 'no JSON'],
      ['something', 'else'],
    ]) {
      await writer.send(['XADD', 'foreign', '*', ...fields])
    }
    await using consumer = await start('consumer', args)
    const stats = async () => JSON.parse((await get(`${api.url}/api/stats`)).body)
    await waitUntil(async () => (await stats()).pending_writes_in_stream === 0)
    expect(await stats()).toMatchObject({ total_documents: 7 })
    for (const stored of [id, own]) {
      const { body } = await get(`${api.url}/api/writes/${stored}`)
      expect(JSON.parse(body)).toMatchObject({ id: stored, state: 'stored' })
    }
    await using stream = await openStream(`${redis.url}?stream=foreign`)
    const letters = await stream.deadLetters({ limit: 10 })
    expect(letters.map(({ id: dead, reason }) => [dead.slice(0, 6), reason])).toEqual([
      ['entry:', expect.stringContaining('unreadable')],
      ['entry:', expect.stringContaining('unreadable')],
    ])
    expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
  }, 180_000)

  test('a server that would forget, a wrong password, no server: one sentence, exit 2, no password', async () => {
    await using lossy = await startBackend('redis', { durability: 'none' })
    await using closed = await startBackend('redis', { durability: 'none' })
    for (const [server, setting, value] of [
      [lossy, 'maxmemory-policy', 'allkeys-lru'],
      [closed, 'requirepass', 'sesame'],
    ] as const) {
      await using admin = await RedisConnection.open({ target: parseRedisUrl(server.url, []), name: 'admin' })
      await admin.send(['CONFIG', 'SET', setting, value])
    }
    for (const [stream, documents, says] of [
      [lossy.url, 'memory:', /maxmemory-policy is allkeys-lru.* noeviction/],
      [login(closed.url), 'memory:', /user( name)? or (the )?password .*wrong/],
      ['memory:', 'mongodb://u:my-secret@127.0.0.1:1/x?serverSelectionTimeoutMS=300', /ECONNREFUSED/],
    ] as const) {
      const [code, sentences, text] = await refused(stream, documents)
      expect([code, sentences, text]).toEqual([2, 1, expect.stringMatching(says)])
      expect(text).not.toContain('my-secret')
    }
  }, 120_000)
})
