import { existsSync } from 'node:fs'
import { startProcess, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { backendKinds, sharedBackend, startBackend, type BackendKind } from './index.ts'
import { redisCommand } from './resp.ts'

// What is tested here are processes; containers have tests of their own.
process.env['BACKENDS_ENGINE'] = 'none'

const index = new URL('index.ts', import.meta.url).href
const port = (url: string): number => Number(new URL(url).port)
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

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

test('over TLS, with an authority to trust', async () => {
  await using server = await startBackend('redis', { tls: true })
  await expect(redisCommand(port(server.url), ['PING'], server.ca)).resolves.toBe('+PONG')
})

describe('no orphan', () => {
  const user = `import { startBackend, sharedBackend } from ${JSON.stringify(index)}
    const server = await (process.argv[1] === 'shared' ? sharedBackend : startBackend)('redis', { durability: 'process' })
    console.log(JSON.stringify({ pid: server.pid, url: server.url }))
    setInterval(() => {}, 1000)`
  const start = (mode: string) =>
    startProcess({ args: ['--input-type=module', '-e', user, mode], env: { REDIS_URL: undefined } })

  test.each(['SIGKILL', 'SIGINT'] as const)('a private server ends with its user, also by %s', async (signal) => {
    await using process = start('private')
    const { pid } = JSON.parse(await process.waitForLine(/^\{/))
    process.kill(signal)
    await process.exit
    await waitUntil(() => !isAlive(pid), { what: 'the server to end' })
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

  test('a server ends with its guard', async () => {
    await using server = await startBackend('redis')
    const { pid = 0 } = server
    await using ps = startProcess({ command: 'ps', args: ['-o', 'ppid=', '-p', String(pid)] })
    await ps.exit
    process.kill(Number(ps.stdout[0]), 'SIGKILL')
    await waitUntil(() => !isAlive(pid), { what: 'the server to end with its guard' })
    await expect(server.restart()).rejects.toThrow('guard of redis is gone')
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
