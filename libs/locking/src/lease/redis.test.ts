import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startBackend } from '@ballast/backends'
import { temporaryFolder } from '@ballast/testing'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { describeLeaseContract } from './contract.ts'
import { RedisLeaseStore } from './redis.ts'
import { fencedInRedis } from './test/fenced-redis.ts'

const claim = { nonce: 'a'.repeat(32), holder: 'me', ttlMs: 60_000, timeoutMs: 10_000 }

await describeOnBackend('redis', ({ url }) => {
  describeLeaseContract('redis', async () => ({
    open: () => RedisLeaseStore.open(url),
    openFenced: () => fencedInRedis(url),
    async forget(key) {
      const redis = new Redis(url)
      await redis.del(`lease:${key}`)
      redis.disconnect()
    },
    [Symbol.asyncDispose]: async () => {},
  }))

  test('a server that may forget leases is refused at the start, and as soon as it is seen later', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    await using store = await RedisLeaseStore.open(server.url, { inspectEveryMs: 20 })
    const redis = new Redis(server.url)
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    redis.disconnect()
    await expect(RedisLeaseStore.open(server.url)).rejects.toThrow('set it to noeviction')
    await expect
      .poll(() => store.take('key', claim).catch((error: unknown) => String(error)), {
        timeout: 10_000,
      })
      .toContain('may forget leases')
  })

  test('a server that stands still fails the call in time, and is used again when it goes on', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    await using store = await RedisLeaseStore.open(server.url)
    await server.pause()
    await expect(store.take('key', { ...claim, timeoutMs: 200 })).rejects.toThrow('no answer within 200 ms')
    await server.resume()
    await expect
      .poll(() => store.take('key', claim).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({
        taken: true,
      })
  })

  test('over TLS, with the authority named in the URL', async () => {
    await using folder = await temporaryFolder()
    await using server = await startBackend('redis', { durability: 'none', tls: true })
    const ca = join(folder.path, 'ca.pem')
    await writeFile(ca, server.ca ?? '')
    await using store = await RedisLeaseStore.open(`${server.url}?ca=${encodeURIComponent(ca)}`)
    await expect(store.take('key', claim)).resolves.toEqual({ taken: true, epoch: 1n })
    await expect(RedisLeaseStore.open(server.url)).rejects.toThrow('self-signed certificate')
  })
})

test('URLs that cannot work are refused without telling the password', async () => {
  await expect(RedisLeaseStore.open('redis://:secret@host/x')).rejects.toThrow(/^the Redis URL cannot be read/)
  await expect(RedisLeaseStore.open('redis://:secret@host/0?nope=1')).rejects.toThrow('a parameter "nope"')
  await expect(RedisLeaseStore.open('redis://:secret@127.0.0.1:1/0')).rejects.toThrow(/^((?!secret).)*ECONNREFUSED/)
})
