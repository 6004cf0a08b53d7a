import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive, startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { findProgram } from './run.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** In a cache of the test's own, so that servers which the user has up are other ones. */
async function backends(cache: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const own = { BALLAST_CACHE: cache, BACKENDS_ENGINE: 'none', BACKENDS_INSTALL: '0', REDIS_URL: '' }
  await using ran = startProcess({ args: [main, ...args], env: { ...own, ...env } })
  const { code } = await ran.exit
  return { code, stdout: ran.stdout.join('\n'), stderr: ran.stderr.join('\n') }
}

describe.skipIf(findProgram('redis-server') === undefined && process.env['BACKENDS'] !== 'all')('a server', () => {
  test('that two ask for at once is one; it stays until "down", which can be said twice', async () => {
    await using cache = await temporaryFolder()
    const up = ['up', 'redis', '--json']
    const [one, two] = await Promise.all([backends(cache.path, up), backends(cache.path, up)])
    const [server] = JSON.parse(one.stdout)
    expect(server).toMatchObject({ kind: 'redis', url: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/) })
    expect(JSON.parse(two.stdout)).toMatchObject([{ url: server.url, pid: server.pid }])
    try {
      const status = await backends(cache.path, ['status', '--json'])
      expect(JSON.parse(status.stdout)).toContainEqual(
        expect.objectContaining({ kind: 'redis', state: 'up', url: server.url }),
      )
      expect(isAlive(server.pid)).toBe(true)
    } finally {
      const down = await backends(cache.path, ['down', '--json'])
      expect(JSON.parse(down.stdout)).toEqual([{ kind: 'redis', state: 'ended' }])
    }
    await waitUntil(() => !isAlive(server.pid))
    const again = await backends(cache.path, ['down', '--json'])
    expect(again).toMatchObject({ code: 0, stdout: '[]' })
  })
})

describe('on a machine with nothing', () => {
  const nothing = { PATH: '/nowhere' }

  test.each([
    ['redis', 'apt-get install redis-server'],
    ['cassandra', 'apt-get install openjdk-17-jre-headless'],
    ['s3', 'apt-get install openjdk-17-jre-headless'],
    ['dynamodb', 'apt-get install openjdk-17-jre-headless'],
    ['mongodb', 'apt-get install openjdk-17-jre-headless'],
  ])('the doctor names the one command that makes %s available', async (kind, command) => {
    await using cache = await temporaryFolder()
    const { code, stdout } = await backends(cache.path, ['doctor', '--json'], nothing)
    expect(code).toBe(0)
    const problem = expect.stringContaining(command)
    expect(JSON.parse(stdout)).toContainEqual({ kind, state: 'missing', problem })
  })

  test('"up" fails with that sentence and names what it could not start', async () => {
    await using cache = await temporaryFolder()
    const { code, stdout } = await backends(cache.path, ['up', 'redis'], nothing)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^redis .*there is no redis-server on PATH; on Debian: apt-get install redis-server$/)
  })

  test('the doctor takes an URL of the environment for a server', async () => {
    await using cache = await temporaryFolder()
    const { stdout } = await backends(cache.path, ['doctor', '--json'], { ...nothing, REDIS_URL: 'redis://elsewhere' })
    expect(JSON.parse(stdout)).toContainEqual({ kind: 'redis', state: 'available', from: 'REDIS_URL' })
  })
})

/** A machine with a Maven that says so or fails, and a Java that starts nothing. */
async function machine(maven: string): Promise<AsyncDisposable & { readonly PATH: string }> {
  const folder = await temporaryFolder()
  writeFileSync(join(folder.path, 'mvn'), `#!/bin/sh\n${maven}\n`, { mode: 0o755 })
  writeFileSync(join(folder.path, 'java'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  return {
    PATH: `${folder.path}:${process.env['PATH']}`,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

describe('a download', () => {
  test('that fails is one sentence with what the package manager said last', async () => {
    await using cache = await temporaryFolder()
    await using path = await machine('echo "[ERROR] Unknown host repo.example"; exit 1')
    const { code, stdout } = await backends(cache.path, ['up', 's3'], { PATH: path.PATH })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^s3 .*Maven could not fetch it \(mvn ended with 1: .*Unknown host repo\.example\)$/)
  })

  test('that ends in colours is told by its last words', async () => {
    await using cache = await temporaryFolder()
    await using path = await machine(String.raw`printf 'No space left on device\n\033[0m\033[0m\n'; exit 1`)
    const { stdout } = await backends(cache.path, ['up', 's3'], { PATH: path.PATH })
    expect(stdout).toMatch(/\(mvn ended with 1: No space left on device\)$/)
  })

  test('into a cache that cannot be written names the setting', async () => {
    await using cache = await temporaryFolder()
    await using path = await machine('mkdir lib')
    const file = join(cache.path, 'file')
    writeFileSync(file, '')
    const { code, stdout } = await backends(join(file, 'cache'), ['up', 's3'], { PATH: path.PATH })
    expect(code).toBe(1)
    expect(stdout).toMatch(/cannot be kept in the cache .*ENOTDIR.*: name another folder in BALLAST_CACHE$/)
  })

  test.skipIf(findProgram('script') === undefined)('is shown on a terminal', async () => {
    await using cache = await temporaryFolder()
    await using path = await machine('mkdir lib')
    const command = `"${process.execPath}" "${main}" up s3`
    await using terminal = startProcess({
      command: 'script',
      args: ['--quiet', '--return', '--command', command, '/dev/null'],
      env: { PATH: path.PATH, BALLAST_CACHE: cache.path, BACKENDS_ENGINE: 'none' },
    })
    await expect(terminal.exit).resolves.toMatchObject({ code: 1 })
    expect(terminal.stdout.join('\n')).toMatch(/fetching s3 \.\.\. done in \d+\.\d s/)
  })
})

/** Java that says its pid and never becomes a server. */
async function stuck(cache: string): Promise<AsyncDisposable & { readonly PATH: string; readonly pidFile: string }> {
  const path = await machine('mkdir lib')
  const pidFile = join(cache, 'pid')
  const [bin = ''] = path.PATH.split(':')
  writeFileSync(join(bin, 'java'), `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 600\n`, { mode: 0o755 })
  return { ...path, pidFile }
}
const pidIn = (file: string): number => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)

describe('what "up" began', () => {
  test.each([{ kinds: ['s3'] }, ...(findProgram('redis-server') === undefined ? [] : [{ kinds: ['redis', 's3'] }])])(
    'ends when it is interrupted: $kinds',
    async ({ kinds }) => {
      await using cache = await temporaryFolder()
      await using path = await stuck(cache.path)
      const env = { PATH: path.PATH, BALLAST_CACHE: cache.path, BACKENDS_ENGINE: 'none', REDIS_URL: '', S3_URL: '' }
      await using up = startProcess({ args: [main, 'up', ...kinds], env })
      await waitUntil(() => pidIn(path.pidFile) > 0)
      const pid = pidIn(path.pidFile)
      up.kill('SIGINT')
      await expect(up.exit).resolves.toMatchObject({ code: 130 })
      await waitUntil(() => !isAlive(pid), { what: 'the server that was starting to end' })
      const { stdout } = await backends(cache.path, ['status', '--json'])
      expect(JSON.parse(stdout).filter(({ state }: { state: string }) => state === 'up')).toEqual([])
    },
  )
})

test('a kind that is named twice is ended once', async () => {
  await using cache = await temporaryFolder()
  const down = await backends(cache.path, ['down', 'redis', 'redis'])
  expect(down).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('a server that the environment names is not started', async () => {
  await using cache = await temporaryFolder()
  const { stdout } = await backends(cache.path, ['up', 'redis', '--json'], { REDIS_URL: 'redis://elsewhere' })
  expect(JSON.parse(stdout)).toEqual([{ kind: 'redis', state: 'available', from: 'REDIS_URL' }])
})

test('a variable that holds no URL is named', async () => {
  await using cache = await temporaryFolder()
  const { stdout } = await backends(cache.path, ['doctor', '--json'], { REDIS_URL: 'nonsense' })
  const problem = 'REDIS_URL is no URL: correct or unset it'
  expect(JSON.parse(stdout)).toContainEqual({ kind: 'redis', state: 'missing', problem })
})

test('the doctor says what is still to be downloaded', async () => {
  await using cache = await temporaryFolder()
  await using path = await machine('exit 1')
  const { stdout } = await backends(cache.path, ['doctor', '--json'], { PATH: path.PATH })
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({ kind: 's3', state: 'available', note: expect.stringMatching(/^not downloaded yet/) }),
  )
})

test.each([
  [[], 'say what to do'],
  [['up'], 'name the servers to start'],
  [['up', 'oracle'], '"oracle" is not known here'],
  [['up', '--jsno', 'redis'], '"--jsno" is not known here'],
  [['sideways'], 'say what to do'],
] as const)('%o is refused in one sentence', async (args, sentence) => {
  await using cache = await temporaryFolder()
  const { code, stdout, stderr } = await backends(cache.path, args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(new RegExp(`^backends: ${sentence}.*$`))
})
