import { createHash } from 'node:crypto'

/** Lua that Redis runs as one atomic step. KEYS[1] is the hash: epoch, nonce (empty: released), holder, until (unix ms). */
export interface RedisScript {
  readonly source: string
  readonly sha: string
}

// Lua's numbers are doubles: good for milliseconds, but %.14g would round them as text. The epoch stays text.
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('HMGET', KEYS[1], 'epoch', 'nonce', 'holder', 'until')
local ends = tonumber(lease[4] or '0')
local function text(number) return string.format('%.0f', number) end
`

const script = (body: string): RedisScript => {
  const source = `${now}${body}`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

export const redisScripts = {
  /** ARGV: nonce, holder, ttlMs. Replies 1 and the epoch, or 0, the epoch, the holder and the ms that are left. */
  take: script(`
local mine = lease[2] == ARGV[1]
if lease[2] and lease[2] ~= '' and not mine and ends > now then
  return {0, lease[1], lease[3] or '', text(ends - now)}
end
if not mine then redis.call('HINCRBY', KEYS[1], 'epoch', 1) end
redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'holder', ARGV[2], 'until', text(math.max(mine and ends or 0, now + ARGV[3])))
return {1, redis.call('HGET', KEYS[1], 'epoch')}
`),
  /** ARGV: nonce, epoch, ttlMs. Replies 1 if the fence is current. */
  renew: script(`
if lease[2] ~= ARGV[1] or lease[1] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'until', text(math.max(ends, now + ARGV[3])))
return 1
`),
  /** ARGV: nonce. Replies 1 if it was the holder's. */
  release: script(`
if lease[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'nonce', '', 'until', '0')
return 1
`),
} as const
