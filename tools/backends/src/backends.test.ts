import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import https from 'node:https'
import { isAlive, startProcess, waitUntil } from '@ballast/testing'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { backendKinds, sharedBackend, startBackend, type BackendKind } from './index.ts'
import { redisCommand } from './resp.ts'

// What is tested here are processes; containers have tests of their own.
process.env['BACKENDS_ENGINE'] = 'none'

const index = new URL('index.ts', import.meta.url).href
const port = (url: string): number => Number(new URL(url).port)

describe.each(backendKinds)('%s', (kind: BackendKind) => {
  test('starts, is killed and restarted on its data and port, and ends with its folder', async () => {
    await using server = await startBackend(kind)
    const { url, pid = 0, logFile = '' } = server
    expect(isAlive(pid)).toBe(true)
    await server.kill()
    expect(isAlive(pid)).toBe(false)
    await server.restart()
    expect(server.url).toBe(url)
    expect(server.pid).not.toBe(pid)
    await server.stop()
    await server.stop()
    expect(isAlive(server.pid ?? 0)).toBe(false)
    expect(existsSync(logFile)).toBe(false)
  })
})

test('a paused server keeps its connections and answers nobody until it is resumed', async () => {
  await using server = await startBackend('redis')
  await server.pause()
  await expect(redisCommand(port(server.url), ['PING'])).rejects.toThrow('no answer')
  await server.resume()
  await expect(redisCommand(port(server.url), ['PING'])).resolves.toBe('+PONG')
})

test('what was acknowledged before a kill is there after the restart', async () => {
  await using server = await startBackend('redis', { durability: 'disk' })
  await redisCommand(port(server.url), ['SET', 'kept', 'yes'])
  await server.kill()
  await server.restart()
  await expect(redisCommand(port(server.url), ['GET', 'kept'])).resolves.toBe('$3')
})

test('over TLS, with an authority to trust and a password to know', async () => {
  await using server = await startBackend('redis', { tls: true, password: 'right-password' })
  const ping = (password?: string) => redisCommand(port(server.url), ['PING'], server.ca, password)
  expect(new URL(server.url).password).toBe('right-password')
  await expect(ping('right-password')).resolves.toBe('+PONG')
  await expect(ping('other-password')).resolves.toMatch(/^-NOAUTH/)
  await expect(ping()).resolves.toMatch(/^-NOAUTH/)
  expect(readFileSync(server.caFile ?? '', 'utf8')).toBe(server.ca)
})

test('PostgreSQL with TLS takes no plain connection', async () => {
  await using server = await startBackend('postgres', { tls: true, durability: 'none' })
  const connect = async (ssl: pg.ClientConfig['ssl']): Promise<void> => {
    const client = new pg.Client({ connectionString: server.url, ssl })
    await client.connect()
    await client.end()
  }
  await expect(connect({ ca: server.ca })).resolves.toBeUndefined()
  await expect(connect(false)).rejects.toThrow('no encryption')
})

test('a server that speaks no TLS has a front that does, and only that', async () => {
  await using server = await startBackend('dynamodb', { tls: true, durability: 'none' })
  const status = async (ca: string | undefined): Promise<number | undefined> => {
    const asked = https.get({ host: '127.0.0.1', port: port(server.url), ca, agent: false })
    const [answer] = await once(asked, 'response')
    answer.resume()
    return answer.statusCode
  }
  await expect(status(server.ca)).resolves.toBe(400)
  await expect(status(undefined)).rejects.toThrow('self-signed')
  await server.kill()
  await expect(status(server.ca)).rejects.toThrow(/socket|ECONNRESET/)
  await server.restart()
  await expect(status(server.ca)).resolves.toBe(400)
})

test.each(['mongodb', 'dynamodb'] as const)('%s takes no password, and says so', async (kind) => {
  await expect(startBackend(kind, { password: 'right-password' })).rejects.toThrow(new RegExp(`^${kind}: .+`))
})

test('a password that would need quoting is refused', async () => {
  await expect(startBackend('redis', { password: "it's" })).rejects.toThrow('at least 8 letters, digits, - and _')
})

test('what a server wrote can be read', async () => {
  await using server = await startBackend('redis')
  await expect(server.logs()).resolves.toContain('Ready to accept connections')
})

describe('no orphan', () => {
  const user = `import { startBackend, sharedBackend } from ${JSON.stringify(index)}
    const [, mode, kind] = process.argv
    const server = await (mode === 'shared' ? sharedBackend : startBackend)(kind, { durability: 'process' })
    console.log(JSON.stringify({ pid: server.pid, url: server.url }))
    setInterval(() => {}, 1000)`
  const start = (mode: string, kind: BackendKind = 'redis') =>
    startProcess({ args: ['--input-type=module', '-e', user, mode, kind], env: { REDIS_URL: undefined } })

  test.each([
    ['redis', 'SIGINT'],
    ['redis', 'SIGKILL'],
    ['postgres', 'SIGKILL'],
    ['cassandra', 'SIGKILL'],
    ['dynamodb', 'SIGINT'],
  ] as const)('a private server (%s) ends with its user, also by %s', async (kind, signal) => {
    await using process = start('private', kind)
    const { pid } = JSON.parse(await process.waitForLine(/^\{/, 100_000))
    process.kill(signal)
    await process.exit
    await waitUntil(() => !isAlive(pid), { timeoutMs: 60_000, what: 'the server to end' })
    expect(isAlive(pid)).toBe(false)
  })

  test('a shared server is one for all who ask at once, and outlives the first that goes', async () => {
    await using first = start('shared')
    await using second = start('shared')
    const one = JSON.parse(await first.waitForLine(/^\{/))
    const two = JSON.parse(await second.waitForLine(/^\{/))
    expect(two).toEqual(one)
    first.kill('SIGKILL')
    await first.exit
    await expect(redisCommand(port(one.url), ['PING'])).resolves.toBe('+PONG')
  })

  test.each(['redis', 'postgres'] as const)('a server (%s) ends with its guard', async (kind) => {
    await using server = await startBackend(kind)
    const { pid = 0 } = server
    await using ps = startProcess({ command: 'ps', args: ['-o', 'ppid=', '-p', String(pid)] })
    await ps.exit
    process.kill(Number(ps.stdout[0]), 'SIGKILL')
    await waitUntil(() => !isAlive(pid), { what: 'the server to end with its guard' })
    await expect(server.restart()).rejects.toThrow(`guard of ${kind} is gone`)
  })
})

test('a server named in the environment is used as it is, and is not ours to stop', async () => {
  process.env['REDIS_URL'] = 'redis://elsewhere:6379'
  try {
    await using server = await sharedBackend('redis')
    expect(server).toMatchObject({ url: 'redis://elsewhere:6379', origin: 'environment' })
    await expect(server.kill()).rejects.toThrow('not ours')
  } finally {
    delete process.env['REDIS_URL']
  }
})
