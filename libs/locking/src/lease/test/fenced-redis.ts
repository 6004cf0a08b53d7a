import { Redis } from 'ioredis'
import type { FencedStore } from '../contract.ts'

/** One script reads the lease and writes the data. */
const write = `
local lease = redis.call('HMGET', KEYS[1], 'epoch', 'nonce')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
return 1`

export async function fencedInRedis(url: string): Promise<FencedStore> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0 })
  return {
    write: async (key, { epoch, nonce }, value) =>
      (await redis.eval(write, 2, `lease:${key}`, `data:${key}`, String(epoch), nonce, value)) === 1,
    read: async (key) => (await redis.get(`data:${key}`)) ?? undefined,
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  }
}
