import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { fixtureProcess, fixtureService } from './fixtures/fixture-definition.ts'
import type { LogRecord } from './log-record.ts'
import { Platform, type PlatformOptions, startPlatform } from './platform.ts'
import { freePortBase } from './ports.ts'
import { probe } from './probe.ts'
import { processIdentity } from './process-identity.ts'
import type { ProcessSpec, ServiceDefinition } from './service.ts'

function options(dataDir: string, services: readonly ServiceDefinition[]): PlatformOptions & { logs: LogRecord[] } {
  const logs: LogRecord[] = []
  const backoff = { firstMs: 20, maxMs: 50, resetAfterMs: 60_000 }
  return { services, dataDir, env: process.env, graceMs: 5_000, backoff, logs, onLog: (record) => logs.push(record) }
}

async function pidAt(url: string): Promise<number> {
  const body: unknown = JSON.parse((await probe(url)).body)
  if (typeof body !== 'object' || body === null || !('pid' in body)) throw new Error('no pid')
  return Number(body.pid)
}

test('starts every process, is ready when each answers /readyz, passes the environment, stops all', async () => {
  await using folder = await temporaryFolder()
  const settings = options(folder.path, [fixtureService('one', 1), fixtureService('two', 2)])
  const platform = await startPlatform({ ...settings, env: { ...process.env, FIXTURE_STORE: 'memory:' } })
  expect(platform.processes.map(({ name, state }) => [name, state])).toEqual([
    ['one', 'ready'],
    ['two', 'ready'],
  ])
  expect(JSON.parse((await probe(platform.url('one'))).body)).toMatchObject({ env: 'memory:' })
  const pid = await pidAt(platform.url('two'))
  await platform.stop()
  expect(platform.processes.map(({ state }) => state)).toEqual(['stopped', 'stopped'])
  await expect(processIdentity(pid)).resolves.toBeUndefined()
})

test('roles start in order and stop in reverse order, the store closes last', async () => {
  await using folder = await temporaryFolder()
  const journal = join(folder.path, 'journal')
  const service: ServiceDefinition = {
    ...fixtureService('main', 1),
    async openStores({ dataDir }) {
      await writeFile(journal, `store opened in ${dataDir.slice(folder.path.length)}\n`)
      return { env: {}, close: () => writeFile(journal, 'store closed\n', { flag: 'a' }) }
    },
    processes: () => [
      { ...fixtureProcess('consumer', 0, ['--journal', journal]) },
      { ...fixtureProcess('api', 0, ['--journal', journal, '--slow-stop', '50']), main: true },
    ],
  }
  await using platform = await startPlatform(options(folder.path, [service]))
  await platform.stop()
  const expected = ['store opened in /main', 'consumer started', 'api started', 'api stopped', 'consumer stopped']
  expect((await readFile(journal, 'utf8')).trim().split('\n')).toEqual([...expected, 'store closed'])
})

test('a killed process is started again, on its port, and the log says so', async () => {
  await using folder = await temporaryFolder()
  const portBase = await freePortBase([1])
  const settings = options(folder.path, [fixtureService('one', 1)])
  await using platform = await startPlatform({ ...settings, portBase })
  const first = await pidAt(platform.url('one'))
  platform.process('one').kill('SIGKILL')
  await waitUntil(() => platform.process('one').restarts === 1 && platform.process('one').state === 'ready')
  expect(platform.url('one')).toBe(`http://127.0.0.1:${portBase + 1}`)
  expect(await pidAt(platform.url('one'))).not.toBe(first)
  const said = settings.logs.filter(({ process }) => process === 'platform').map(({ msg }) => msg)
  expect(said).toEqual([expect.stringMatching(/^was ended by SIGKILL, restart in \d+ ms$/), 'ready again'])
})

test('exit code 2 at the first start fails the platform with the sentence of the process, nothing stays', async () => {
  await using folder = await temporaryFolder()
  const good = fixtureService('good', 1)
  const bad = fixtureService('bad', 2, ['--fail', 'bad: store x is corrupt; restore it'])
  const platform = new Platform(options(folder.path, [good, bad]))
  await expect(platform.start()).rejects.toThrow('bad cannot start: store x is corrupt; restore it')
  expect(platform.processes.map(({ state, restarts }) => [state, restarts])).toEqual([
    ['stopped', 0],
    ['stopped', 0],
  ])
})

test('a process that crashes before it was ever ready gets two more chances', async () => {
  await using folder = await temporaryFolder()
  const appears = join(folder.path, 'appears')
  const failing = new Platform(options(folder.path, [fixtureService('one', 1, ['--crash-until', appears])]))
  await expect(failing.start()).rejects.toThrow('one cannot start: Error: boom while starting')
  expect(failing.process('one').restarts).toBe(2)

  const settings = options(folder.path, [fixtureService('one', 1, ['--crash-until', appears])])
  await using platform = new Platform(settings)
  const started = platform.start()
  await waitUntil(() => platform.processes[0]?.restarts === 1)
  await writeFile(appears, '')
  await started
  expect(platform.process('one').state).toBe('ready')
})

test('a taken port is one sentence, found before anything starts', async () => {
  await using folder = await temporaryFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const starts = join(folder.path, 'starts')
  const services = [fixtureService('one', 0, ['--data', starts]), fixtureService('two', 1)]
  const platform = new Platform({ ...options(folder.path, services), portBase: port - 1 })
  await expect(platform.start()).rejects.toThrow(
    `Port ${port} of two is taken by another program: free it, or choose other ports with --port-base.`,
  )
  await expect(readFile(starts)).rejects.toThrow('ENOENT')
  taken.close()
})

test('a data folder that cannot be written to is one sentence', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'file')
  await writeFile(file, '')
  const platform = new Platform(options(join(file, 'data'), []))
  await expect(platform.start()).rejects.toThrow(
    `Data folder ${file}/data cannot be written to (ENOTDIR): choose another with --data-dir.`,
  )
})

const replica = (_: unknown, ordinal: number): ProcessSpec => ({
  ...fixtureProcess(`worker-${ordinal}`, 0),
  role: 'worker',
})

test('a second platform on the same data folder is refused with one sentence, the first goes on', async () => {
  await using folder = await temporaryFolder()
  await using first = await startPlatform(options(folder.path, [fixtureService('one', 1)]))
  const second = new Platform(options(folder.path, [fixtureService('one', 1)]))
  await expect(second.start()).rejects.toThrow(
    `Data folder ${folder.path} is in use by process ${process.pid} on ${hostname()}: stop that one, or choose another`,
  )
  expect(first.process('one').state).toBe('ready')
  await first.stop()
  await using third = await startPlatform(options(folder.path, [fixtureService('one', 1)]))
  expect(third.process('one').state).toBe('ready')
})

test('replicas come and go at run time, the highest ordinal first', async () => {
  await using folder = await temporaryFolder()
  const base = fixtureService('pool', 1)
  const service: ServiceDefinition = {
    ...base,
    replica,
    processes: (context) => [...base.processes(context), replica(context, 0), replica(context, 1)],
  }
  await using platform = await startPlatform(options(folder.path, [service]))
  const names = (): string[] => platform.processes.map(({ name }) => name)
  expect(names()).toEqual(['pool', 'worker-0', 'worker-1'])
  await platform.setReplicas('pool', 3)
  expect(names()).toEqual(['pool', 'worker-0', 'worker-1', 'worker-2'])
  const last = platform.process('worker-2')
  await platform.setReplicas('pool', 1)
  expect(names()).toEqual(['pool', 'worker-0'])
  expect(last.state).toBe('stopped')
})

test('a process that ignores SIGTERM is killed after the grace time', async () => {
  await using folder = await temporaryFolder()
  const settings = options(folder.path, [fixtureService('one', 1, ['--greedy'])])
  await using platform = await startPlatform({ ...settings, graceMs: 100 })
  const pid = await pidAt(platform.url('one'))
  await platform.stop()
  await expect(processIdentity(pid)).resolves.toBeUndefined()
  expect(settings.logs.map(({ msg }) => msg)).toContain('did not stop in time, is killed')
})

test('stop while starting ends what was started', async () => {
  await using folder = await temporaryFolder()
  const settings = options(folder.path, [fixtureService('one', 1), fixtureService('two', 2)])
  const platform = new Platform(settings)
  const refused = platform.start().catch((error: unknown) => error)
  await waitUntil(() => settings.logs.some(({ msg }) => msg === 'listening'))
  const pids = platform.processes.map(({ pid }) => pid ?? 0)
  await platform.stop()
  await expect(refused).resolves.toHaveProperty('message', 'Stopped before everything was ready.')
  await Promise.all(pids.map((pid) => expect(processIdentity(pid)).resolves.toBeUndefined()))
})
