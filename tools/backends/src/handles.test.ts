import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { sharedBackend, startBackend, type BackendKind, type BackendOptions } from './index.ts'
import { redisCommand } from './resp.ts'

// What is tested here are processes; containers have tests of their own.
process.env['BACKENDS_ENGINE'] = 'none'

const port = (url: string): number => Number(new URL(url).port)
const volatile = { durability: 'none' } as const

test.each(['redis', 'postgres'] as const)('a killed server (%s) is not paused: that is said at once', async (kind) => {
  await using server = await startBackend(kind, volatile)
  await server.kill()
  const askedMs = performance.now()
  await expect(server.pause()).rejects.toThrow(/^(redis-server|postgres) does not run: restart\(\) it first$/)
  expect(performance.now() - askedMs).toBeLessThan(5_000)
  // Of nothing that runs there is nothing to kill, resume or stop.
  await server.kill()
  await server.resume()
})

test('two restarts at once are one after the other', async () => {
  await using server = await startBackend('redis')
  await redisCommand(port(server.url), ['SET', 'kept', 'yes'])
  await Promise.all([server.restart(), server.restart()])
  await expect(redisCommand(port(server.url), ['GET', 'kept'])).resolves.toBe('$3')
})

test.each(['redis', 'postgres'] as const)('a data folder (%s) has one server at a time', async (kind) => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  {
    await using first = await startBackend(kind, { dataDir })
    await expect(startBackend(kind, { dataDir: join(dataDir, '.') })).rejects.toThrow(
      /^the data folder \S+ has a server already: stop that one, or give another folder$/,
    )
    expect(first.pid).toBeGreaterThan(0)
  }
  await using next = await startBackend(kind, { dataDir })
  await expect(next.logs()).resolves.toMatch(/ready to accept connections/i)
})

test('a data folder belongs to its kind and its password', async () => {
  await using folder = await temporaryFolder()
  const dataDir = folder.path
  const start = (kind: BackendKind, options: BackendOptions) => startBackend(kind, { dataDir, ...options })
  await (await start('redis', { password: 'right-password' })).stop()
  for (const options of [{ password: 'other-password' }, {}]) {
    await expect(start('redis', options)).rejects.toThrow(
      /^the data folder \S+ was made with another password \(or none\): give that, or another folder$/,
    )
  }
  await expect(start('postgres', { password: 'right-password' })).rejects.toThrow(/is of redis, not of postgres/)
  await using again = await start('redis', { password: 'right-password' })
  await expect(redisCommand(port(again.url), ['PING'], undefined, 'right-password')).resolves.toBe('+PONG')
})

test.each([startBackend, sharedBackend])('what nobody knows is named with what is known', async (start) => {
  // As a program without types may say it.
  const anything: (kind: string, options?: object) => Promise<unknown> = Function.prototype.call.bind(start, undefined)
  await expect(anything('oracle')).rejects.toThrow('"oracle" is no kind of server here: known are redis, postgres, ')
  await expect(anything('redis', { durability: 'eternal' })).rejects.toThrow(
    'redis: durability "eternal" is not known: it is none, process, disk',
  )
})
