import { once } from 'node:events'
import { createServer } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, type TestProcess, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { processIdentity } from '../platform/process-identity.ts'
import { freePortBase } from '../platform/ports.ts'
import { probe } from '../platform/probe.ts'
import { startLauncher } from './fixtures/start-launcher.ts'

const program = fileURLToPath(new URL('fixtures/main.ts', import.meta.url))

const launcher = (dataDir: string, args: readonly string[], env?: Record<string, string>): TestProcess =>
  startLauncher(program, ['--data-dir', dataDir, ...args], env)

async function portBase(): Promise<string> {
  return String(await freePortBase([0, 1, 2]))
}

async function pidAt(url: string): Promise<number> {
  const body: unknown = JSON.parse((await probe(url)).body)
  return typeof body === 'object' && body !== null && 'pid' in body ? Number(body.pid) : 0
}

/** The URLs of the one line that --json prints. */
async function readyUrls(process: TestProcess): Promise<{ one: string; two: string }> {
  const line: unknown = JSON.parse(await process.waitForLine(/^\{"ready"/))
  expect(line).toEqual({
    ready: true,
    console: { url: expect.stringMatching(/^http:/), token: expect.stringMatching(/^[\w-]{24}$/) },
    services: { one: { url: expect.anything() }, 'longer-two': { url: expect.anything() } },
  })
  const urls = JSON.stringify(line).match(/http:[^"]+/g) ?? []
  return { one: urls[1] ?? '', two: urls[2] ?? '' }
}

test('prints a table, then one aligned log stream; SIGINT drains and exits 0', async () => {
  await using folder = await temporaryFolder()
  const base = await portBase()
  await using process = launcher(folder.path, ['--port-base', base])
  await process.waitForLine(/longer-two +info {2}listening/)
  expect(process.stdout.slice(0, 8)).toEqual([
    expect.stringMatching(new RegExp(`^Console: http://127\\.0\\.0\\.1:${base}/#token=[\\w-]{24}$`)),
    expect.stringMatching(/^Ballast is ready after \d+\.\d s\.$/),
    '',
    expect.stringMatching(new RegExp(`^  console      http://127\\.0\\.0\\.1:${base}/#token=[\\w-]{24}$`)),
    `  one          http://127.0.0.1:${Number(base) + 1}`,
    `  longer-two   http://127.0.0.1:${Number(base) + 2}`,
    '',
    `  Data: ${folder.path}   Stop: Ctrl-C`,
  ])
  expect(process.stdout.slice(9)).toContainEqual(
    expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} one {8}info {2}listening url=http:\S+$/),
  )
  process.kill('SIGINT')
  await expect(process.exit).resolves.toEqual({ code: 0, signal: null })
  expect(process.stderr).toEqual(['Starting one, longer-two ...', 'Stopping; a second Ctrl-C does not wait.'])
  expect(process.stdout.join('\n')).toContain('longer-two info  stopping')
})

test('--json prints exactly one line; the logs are JSON lines on stderr', async () => {
  await using folder = await temporaryFolder()
  await using process = launcher(folder.path, ['--json', '--port-base', await portBase()])
  const { one, two } = await readyUrls(process)
  expect((await probe(`${one}/readyz`)).status).toBe(200)
  const pids = await Promise.all([pidAt(one), pidAt(two)])
  process.kill('SIGTERM')
  await expect(process.exit).resolves.toEqual({ code: 0, signal: null })
  expect(process.stdout).toHaveLength(1)
  const logs = process.stderr.filter((line) => line.startsWith('{'))
  expect(logs.map((line): unknown => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ process: 'one', level: 'info', msg: 'listening', url: one }),
  )
  await Promise.all(pids.map((pid) => expect(processIdentity(pid)).resolves.toBeUndefined()))
})

test('--only starts the named services', async () => {
  await using folder = await temporaryFolder()
  await using process = launcher(folder.path, ['--json', '--only', 'longer-two', '--port-base', await portBase()])
  const line: unknown = JSON.parse(await process.waitForLine(/^\{"ready"/))
  expect(line).toMatchObject({ ready: true, services: { 'longer-two': { url: expect.anything() } } })
})

test.each([
  [['--prot-base', '1'], 'Unknown flag --prot-base; --help lists the known ones.'],
  [['--only', 'one,three'], '--only knows no service "three"; there are one, longer-two.'],
  [['--port-base', '0'], '--port-base needs a whole number from 1 to 65000, got "0".'],
])('%j: one sentence, exit 2', async (args, sentence) => {
  await using folder = await temporaryFolder()
  await using process = launcher(folder.path, args)
  await expect(process.exit).resolves.toEqual({ code: 2, signal: null })
  expect([process.stdout, process.stderr]).toEqual([[], [sentence]])
})

test('--help shows flags, store variables and examples', async () => {
  await using folder = await temporaryFolder()
  await using process = launcher(folder.path, ['--help'])
  await expect(process.exit).resolves.toEqual({ code: 0, signal: null })
  expect(process.stdout.join('\n')).toMatch(/--port-base PORT +the console listens here[^]*Examples\n {2}npm start\n/)
})

test('a taken port names service and flag, exit 2, and nothing was started', async () => {
  await using folder = await temporaryFolder()
  const base = Number(await portBase())
  const port = base + 2
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  await using process = launcher(folder.path, ['--port-base', String(base)])
  await expect(process.exit).resolves.toEqual({ code: 2, signal: null })
  expect(process.stderr.slice(1)).toEqual([
    `Port ${port} of longer-two is taken by another program: free it, or choose other ports with --port-base.`,
  ])
  taken.close()
})

test('a service that cannot start: its sentence, exit 2, the others are ended', async () => {
  await using folder = await temporaryFolder()
  const env = { FLAGS_TWO: '--fail|the file two.json is corrupt; restore it' }
  await using process = launcher(folder.path, ['--json', '--port-base', await portBase()], env)
  await expect(process.exit).resolves.toEqual({ code: 2, signal: null })
  expect(process.stderr.at(-1)).toBe('longer-two cannot start: the file two.json is corrupt; restore it')
  expect(process.stdout).toEqual([])
  const pids = await readFile(join(folder.path, 'launcher', 'pids', 'one.json')).catch(() => 'gone')
  expect(pids).toBe('gone')
})

test('a second launcher on the data folder is refused, exit 2', async () => {
  await using folder = await temporaryFolder()
  await using first = launcher(folder.path, ['--json', '--port-base', await portBase()])
  const { one } = await readyUrls(first)
  await using second = launcher(folder.path, ['--port-base', await portBase()])
  await expect(second.exit).resolves.toEqual({ code: 2, signal: null })
  expect(second.stderr.at(-1)).toMatch(new RegExp(`is in use by process ${first.pid} on .*: stop that one`))
  expect((await probe(one)).status).toBe(200)
})

test('after a SIGKILL of the launcher the next one ends the orphans and takes over ports and data', async () => {
  await using folder = await temporaryFolder()
  const base = await portBase()
  let orphan = 0
  {
    await using first = launcher(folder.path, ['--json', '--port-base', base])
    orphan = await pidAt((await readyUrls(first)).one)
    first.kill('SIGKILL')
    await first.exit
  }
  await expect(processIdentity(orphan)).resolves.toBeDefined()
  await using second = launcher(folder.path, ['--json', '--port-base', base])
  const { one } = await readyUrls(second)
  await expect(processIdentity(orphan)).resolves.toBeUndefined()
  expect(await pidAt(one)).not.toBe(orphan)
  expect(second.stderr.join('\n')).toContain('ended a process that a killed launcher had left behind')
})

test('a second Ctrl-C does not wait for a service that drains for ever', async () => {
  await using folder = await temporaryFolder()
  const env = { FLAGS_TWO: '--slow-stop|60000' }
  await using process = launcher(folder.path, ['--json', '--port-base', await portBase()], env)
  const { two } = await readyUrls(process)
  const pid = await pidAt(two)
  process.kill('SIGINT')
  await process.waitForLine(/"longer-two".*stopping/)
  // The repeats of one Ctrl-C are over when a later signal has an effect.
  await waitUntil(
    async () => {
      process.kill('SIGINT')
      return (await processIdentity(pid)) === undefined
    },
    { everyMs: 100 },
  )
  await expect(process.exit).resolves.toEqual({ code: 0, signal: null })
})

test('when a service dies the table says so, and says when it is back', async () => {
  await using folder = await temporaryFolder()
  const base = await portBase()
  await using process = launcher(folder.path, ['--port-base', base])
  await process.waitForLine(/Ballast is ready/)
  await probe(`http://127.0.0.1:${Number(base) + 1}/crash`)
  await process.waitForLine(/^ {2}\S+ +\S+ waiting to be restarted \(1 restart\)/)
  await process.waitForLine(/^ {2}\S+ +\S+ ready \(1 restart\)/)
  process.kill('SIGTERM')
  await expect(process.exit).resolves.toEqual({ code: 0, signal: null })
})

test('a reader of stdout that goes away does not stop the services', async () => {
  await using folder = await temporaryFolder()
  const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)} --data-dir "$0" --port-base "$1" | head -3`
  const base = await portBase()
  await using shell = startProcess({
    command: '/bin/sh',
    args: ['-c', command, folder.path, base],
    env: { NO_COLOR: '1' },
  })
  const url = `http://127.0.0.1:${Number(base) + 1}`
  await shell.waitForLine(/Ballast is ready/)
  // A restart is told in the log, and that line meets the closed pipe.
  await probe(`${url}/crash`)
  await shell.waitForLine(/Nobody reads the logs any more/)
  await waitUntil(async () => (await probe(`${url}/readyz`)).status === 200)
  const lock: unknown = JSON.parse(await readFile(join(folder.path, 'launcher', 'lock'), 'utf8'))
  const pid = typeof lock === 'object' && lock !== null && 'pid' in lock ? Number(lock.pid) : 0
  process.kill(pid, 'SIGTERM')
  await expect(shell.exit).resolves.toMatchObject({ signal: null })
  await expect(processIdentity(await pidAt(url).catch(() => 0))).resolves.toBeUndefined()
})
