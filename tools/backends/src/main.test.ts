import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { isAlive } from './is-alive.ts'
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
