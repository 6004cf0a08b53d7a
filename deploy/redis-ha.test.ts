import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installWithApt } from '@ballast/backends/debian'
import { findProgram } from '@ballast/backends/programs'
import { freePort, startProcess, temporaryFolder, waitUntil, type TestProcess } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './image/apps.ts'

const script = join(root, 'deploy/components/redis-ha/start.sh')
const program = findProgram('redis-server') ?? (await installWithApt('redis-server', 'redis-server'))
const linux = process.platform === 'linux'
const why = linux
  ? 'no redis-server; on Debian: apt-get install redis-server'
  : 'needs more loopback addresses than one'
const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
const password = 'local-password'

const stack = new AsyncDisposableStack()
let folder = ''
let ports: Record<'redis' | 'sentinel', number>
const pods = new Map<string, TestProcess[]>()

/** What the pod of this host runs: start.sh twice, on one volume. */
function startPod(host: string): void {
  const env = {
    SELF: host,
    BIND: host,
    ALL: hosts.join(' '),
    DATA: join(folder, host),
    TMPDIR: join(folder, host),
    REDIS_PASSWORD: password,
    REDIS_PORT: String(ports.redis),
    SENTINEL_PORT: String(ports.sentinel),
    DOWN_AFTER_MS: '1500',
    FAILOVER_TIMEOUT_MS: '10000',
  }
  const start = (role: string): TestProcess => startProcess({ command: 'sh', args: [script, role], env })
  pods.set(host, [start('redis'), start('sentinel')])
}

async function killPod(host: string): Promise<void> {
  for (const container of pods.get(host) ?? []) {
    container.kill('SIGKILL')
    await container.exit
  }
}

const redisCli = async (host: string, port: number, ...words: string[]): Promise<string> => {
  const login = port === ports.redis ? ['-a', password, '--no-auth-warning'] : []
  const client = startProcess({ command: 'redis-cli', args: ['-h', host, '-p', String(port), ...login, ...words] })
  await client.exit
  return client.stdout.join('\n')
}

const primaryAsToldBy = async (host: string): Promise<string> =>
  (await redisCli(host, ports.sentinel, 'sentinel', 'get-master-addr-by-name', 'ballast')).split('\n')[0] ?? ''

/** How long the primary may be silent until the Sentinels of the others call it dead. */
async function downAfterMs(primary: string, ms: number): Promise<void> {
  const set = ['sentinel', 'set', 'ballast', 'down-after-milliseconds', String(ms)]
  for (const host of hosts.filter((other) => other !== primary)) {
    expect(await redisCli(host, ports.sentinel, ...set)).toBe('OK')
  }
}

/** Every other server follows, and every Sentinel knows that and every other one: who was away is told of a fail-over only after a while. */
const inStep = (primary: string): Promise<unknown> =>
  waitUntil(
    async () => {
      const followers = (await redisCli(primary, ports.redis, 'info', 'replication')).match(/state=online/g) ?? []
      const known = await Promise.all(hosts.map((host) => redisCli(host, ports.sentinel, 'info', 'sentinel')))
      return (
        followers.length === 2 &&
        known.every((text) => text.includes(`status=ok,address=${primary}:${ports.redis},slaves=2,sentinels=3`))
      )
    },
    { timeoutMs: 60_000, what: `two replicas of ${primary}, three Sentinels` },
  )

/** As OrderedReady does. */
async function startInOrder(): Promise<void> {
  for (const host of hosts) {
    startPod(host)
    await waitUntil(async () => (await redisCli(host, ports.redis, 'ping')) === 'PONG')
    await waitUntil(async () => (await redisCli(host, ports.sentinel, 'ping')) === 'PONG')
  }
  await inStep(hosts[0] ?? '')
}

/** Both replicas have said that they have all that this primary has. */
const replicated = (primary: string): Promise<unknown> =>
  waitUntil(async () => {
    const text = await redisCli(primary, ports.redis, 'info', 'replication')
    const offset = /master_repl_offset:(\d+)/.exec(text)?.[1]
    return text.split(`offset=${offset},`).length === 3
  })

describe.skipIf((program === undefined || !linux) && process.env['BACKENDS'] !== 'all')(
  `three pods of redis-ha${program !== undefined && linux ? '' : ` (skipped: ${why})`}`,
  () => {
    let counter: TestProcess
    let url = ''
    const add = async (): Promise<number> => {
      const answer = await fetch(url, { method: 'POST' })
      await answer.arrayBuffer()
      return answer.status
    }
    const value = async (): Promise<unknown> => {
      const body: unknown = await (await fetch(url)).json()
      return Object(body).counter
    }

    beforeAll(async () => {
      folder = stack.use(await temporaryFolder()).path
      ports = { redis: await freePort(), sentinel: await freePort() }
      stack.defer(async () => {
        for (const host of hosts) await killPod(host)
      })
      for (const host of hosts) await mkdir(join(folder, host))
      await startInOrder()
      const sentinels = hosts.map((host) => `${host}:${ports.sentinel}`).join(',')
      const main = join(root, 'apps/counter/src/main.ts')
      const store = `redis://:${password}@${sentinels}/0?sentinel=ballast`
      counter = stack.use(startProcess({ args: [main, '--store', store, '--listen', '127.0.0.1:0'] }))
      url = JSON.parse(await counter.waitForLine(/"msg":"listening"/)).url
    })
    afterAll(() => stack.disposeAsync())

    test('a counter finds the primary by the Sentinels, and after its death the next one, with all that was replicated', async () => {
      for (let added = 0; added < 20; added++) expect(await add()).toBe(200)
      await replicated(hosts[0] ?? '')
      await killPod(hosts[0] ?? '')
      await waitUntil(async () => (await add()) === 200, { timeoutMs: 60_000, what: 'an addition on the next primary' })
      const before = Number(await value())
      expect(before).toBeGreaterThanOrEqual(21)
      startPod(hosts[0] ?? '')
      const primary = await primaryAsToldBy(hosts[1] ?? '')
      expect(primary).not.toBe(hosts[0])
      await inStep(primary)
      expect(Number(await value())).toBe(before)
    })

    test('a primary whose volume is lost comes back empty and does not take the others with it', async () => {
      const primary = await primaryAsToldBy(hosts[0] ?? '')
      const before = Number(await value())
      // It shall be back before anybody was promoted, however slow this machine is.
      await downAfterMs(primary, 600_000)
      await killPod(primary)
      await rm(join(folder, primary), { recursive: true })
      await mkdir(join(folder, primary))
      startPod(primary)
      const [redis] = pods.get(primary) ?? []
      await redis?.waitForLine(/its volume is empty: it waits until/)
      await downAfterMs(primary, 1500)
      await waitUntil(async () => (await add()) === 200, { timeoutMs: 60_000, what: 'an addition on the next primary' })
      expect(Number(await value())).toBeGreaterThan(before)
      const next = await primaryAsToldBy(hosts.find((host) => host !== primary) ?? '')
      expect(next).not.toBe(primary)
      await inStep(next)
    })

    test('a primary that no replica follows takes nothing, so that nothing is only there', async () => {
      const primary = await primaryAsToldBy(hosts[0] ?? '')
      for (const host of hosts) if (host !== primary) await killPod(host)
      const answer = await waitUntil(async () => {
        const text = await redisCli(primary, ports.redis, 'set', 'alone', '1')
        return text !== 'OK' && text
      })
      expect(answer).toMatch(/^NOREPLICAS /)
    })

    test('after the loss of all, the append-only files on the first volume are all that is needed', async () => {
      const before = Number(await value())
      const [first = '', ...others] = hosts
      for (const host of hosts) await killPod(host)
      for (const host of others) {
        await rm(join(folder, host), { recursive: true })
        await mkdir(join(folder, host))
      }
      for (const name of ['redis.conf', 'sentinel.conf']) await rm(join(folder, first, name))
      await startInOrder()
      expect(await primaryAsToldBy(first)).toBe(first)
      await waitUntil(async () => (await add()) === 200, {
        timeoutMs: 60_000,
        what: 'an addition on the restored primary',
      })
      expect(Number(await value())).toBeGreaterThan(before)
    })
  },
)

test.each([
  ['a primary without keys, a volume with data', '# Keyspace', 2_000, 1],
  ['a primary with keys', '# Keyspace\ndb0:keys=1', 2_000, 0],
  ['a volume without data', '# Keyspace', 10, 0],
  ['a primary that cannot be asked', '', 2_000, 0],
])('start.sh and %s', async (_, keyspace, bytes, code) => {
  await using place = await temporaryFolder()
  const data = join(place.path, 'data')
  await mkdir(join(data, 'appendonlydir'), { recursive: true })
  await writeFile(join(data, 'appendonlydir/a'), 'x'.repeat(bytes))
  const programs: Record<string, string> = {
    'redis-cli': `case "$*" in *sentinel*) printf 'name\\nballast\\nip\\nb\\nport\\n1\\nconfig-epoch\\n3\\n';; *) printf '${keyspace}\\n';; esac`,
    'redis-server': 'echo started; cat "$1"',
  }
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(place.path, name), `#!/bin/sh\n${text}\n`)
    await chmod(join(place.path, name), 0o755)
  }
  const env = { PATH: `${place.path}:/usr/bin:/bin`, SELF: 'a', ALL: 'a b', DATA: data, REDIS_PASSWORD: password }
  const started = startProcess({ command: '/bin/sh', args: [script, 'redis'], env })
  expect(await started.exit).toEqual({ code, signal: null })
  expect([...started.stdout, ...started.stderr].join('\n')).toContain(
    code === 0
      ? 'replicaof b 6379'
      : 'b is the primary and is empty, this volume is not: to follow it would lose everything',
  )
  expect(await readdir(data)).toContain('appendonlydir')
})
