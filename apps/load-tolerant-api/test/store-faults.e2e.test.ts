import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startFaultProxy } from '@ballast/fault-proxy'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { afterAll, expect, test } from 'vitest'
import { get, load, type Told } from './load-client.ts'
import { describeOnRealStores } from './real-stores.ts'
import { run, start, stop, stores } from './system.ts'

/** How long the document store is slow, and away. */
const faultMs = Number(process.env['STORE_FAULT_SECONDS'] ?? 2) * 1000
const commandsPerSecond = 100

async function verified(args: readonly string[], told: Told, journal: string) {
  await writeFile(journal, told.acknowledged.map((id) => `${id}\n`).join(''))
  const limit = ['--max-unacknowledged', String(told.unknown * 5)]
  await using verify = run('verify', [...args, '--acknowledged', journal, ...limit, '--json'])
  return { code: (await verify.exit).code, report: JSON.parse(verify.stdout.join('')) }
}

async function queueIsEmpty(url: string): Promise<boolean> {
  return JSON.parse((await get(`${url}/readyz`)).body).queue?.entries === 0
}

await describeOnRealStores(({ redis, mongodb }) => {
  afterAll(async () => {
    await redis.stop()
    await mongodb.stop()
  })

  test(
    'a document store that is slow, answers too late, or is away: the api goes on, and everything is stored once',
    async () => {
      await using folder = await temporaryFolder()
      await using proxy = await startFaultProxy({ target: mongodb.url, mongo: { perSecond: commandsPerSecond } })
      const timeouts = 'socketTimeoutMS=3000&serverSelectionTimeoutMS=1000&connectTimeoutMS=3000'
      const args = ['--stream', redis.url, '--documents', `${proxy.url}&${timeouts}`]
      await using api = await start('api', args)
      await using consumer = await start('consumer', args)
      const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
      const done = new AbortController()
      const clients = load(() => api.url, 8, told, done.signal)
      const failures = async (): Promise<number> => {
        const { body } = await get(`${consumer.url}/metrics`)
        return Number(/^load_tolerant_api_flush_failures_total(?:\{[^}]*\})? (\d+)$/m.exec(body)?.[1] ?? 0)
      }
      const during = async (what: string, fault: Parameters<typeof proxy.set>[0], fails: boolean): Promise<void> => {
        const [before, failed, until] = [told.acknowledged.length, await failures(), performance.now() + faultMs]
        proxy.set(fault)
        proxy.cut('reset')
        await waitUntil(() => performance.now() > until && told.acknowledged.length > before + 500, {
          timeoutMs: faultMs + 30_000,
          what: `load while the store ${what}`,
        })
        if (fails) await waitUntil(async () => (await failures()) > failed, { what: `it to be seen that it ${what}` })
        proxy.heal()
      }
      try {
        await during('takes a second for each command', { latencyMs: 500 }, false)
        await during('does what it is told and answers nobody', { drop: 'answers' }, true)
        await during('is away', { refuse: true }, true)
      } finally {
        done.abort()
        await clients
      }
      await waitUntil(() => queueIsEmpty(api.url), { timeoutMs: 60_000, what: 'the queue to be empty' })
      expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
      expect(told.refused).toBe(0)
      const patient = ['--stream', redis.url, '--documents', mongodb.url]
      expect(await verified(patient, told, join(folder.path, 'acknowledged'))).toMatchObject({
        code: 0,
        report: { ok: true, stored: told.acknowledged.length, dead: 0, totalQueued: 0 },
      })
      expect(proxy.writeCommands?.worstSecond).toBeLessThanOrEqual(commandsPerSecond)
    },
    180_000 + 3 * faultMs,
  )
})

test('a full disk: 503, nothing of it is there; with room again all that was acknowledged is stored once', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  {
    // The most blocks of one file: a write beyond it fails as one to a full disk does.
    await using api = await start('api', args, '127.0.0.1:0', "trap '' XFSZ; ulimit -f 4000")
    await using consumer = await start('consumer', args, '127.0.0.1:0', "trap '' XFSZ; ulimit -f 2000")
    const done = new AbortController()
    const clients = load(() => api.url, 32, told, done.signal)
    await waitUntil(() => told.refused > 100)
    done.abort()
    await clients
    expect([told.unknown, told.why]).toEqual([0, undefined])
    expect((await get(`${api.url}/healthz`)).status).toBe(200)
    // 1 when it could not give back what it had claimed, which is a write, too.
    expect(await stop(consumer)).not.toBeNull()
    expect(await stop(api)).toBe(0)
  }
  await using api = await start('api', args)
  await using consumer = await start('consumer', [...args, '--claim-timeout-ms', '1000'])
  await waitUntil(() => queueIsEmpty(api.url), { timeoutMs: 60_000, what: 'the queue to be empty' })
  expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
  expect(await verified(args, told, join(folder.path, 'acknowledged'))).toMatchObject({
    code: 0,
    report: { ok: true, stored: told.acknowledged.length, unacknowledged: 0, totalQueued: 0 },
  })
}, 120_000)

test('a disk that is full for the queue: /readyz is 503 until there is room again, without a restart', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', args, '127.0.0.1:0', "trap '' XFSZ; ulimit -S -f 4000")
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  const done = new AbortController()
  const clients = load(() => api.url, 32, told, done.signal)
  await waitUntil(() => told.refused > 20)
  done.abort()
  await clients
  const { status, body } = await get(`${api.url}/readyz`)
  expect([status, JSON.parse(body).error]).toEqual([503, expect.stringContaining('is the disk full?')])
  // util-linux: the process goes on, on a disk with room.
  execFileSync('prlimit', ['--pid', String(api.process.pid), '--fsize=unlimited'])
  await waitUntil(async () => (await get(`${api.url}/readyz`)).status === 200, { what: 'it to be ready again' })
  expect((await get(`${api.url}/api/data`)).status).toBe(200)
  expect(await stop(api)).toBe(0)
}, 60_000)
