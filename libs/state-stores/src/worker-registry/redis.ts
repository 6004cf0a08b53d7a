import { RedisConnection } from '../redis/connection.ts'
import { asList, asText } from '../redis/reply.ts'
import { runScript, script } from '../redis/script.ts'
import { integerParameter, parseRedisUrl } from '../redis/url.ts'
import { byName, checkAnnouncement, type AliveWorker, type WorkerRegistry } from './port.ts'

export interface RedisWorkerRegistryOptions {
  /** `redis://host:6379/0`; parameters: `hash` (its key, default `workers`), `timeoutMs` (of a command, default 1000). */
  readonly url: string
  /** Instead of the server's clock, for tests. */
  readonly now?: () => number
}

const clock = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`
/** KEYS: workers, deadlines; ARGV: now or '', name, life, details. A few that are long gone go with each announcement. */
const announceScript = script(`${clock}
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 16)
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
local untilMs = string.format('%.0f', now + ARGV[3])
redis.call('HSET', KEYS[1], ARGV[2], '{"untilMs":' .. untilMs .. ',"details":' .. ARGV[4] .. '}')
redis.call('ZADD', KEYS[2], untilMs, ARGV[2])
return untilMs
`)
const aliveScript = script(`${clock}
local names = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf')
local found = {}
for _, name in ipairs(names) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', KEYS[1], name) or ''
end
return found
`)

/**
 * The hash `workers`: a field for each worker, `{"untilMs":...,"details":{...}}`, so that `HGETALL workers` tells a person who
 * is there; a sorted set beside it has the deadlines. It opens without the server and rejects while that is away. A
 * server that forgets (a flush, a restart without a file, a fail-over) is told everything again by the next heartbeats.
 */
export function redisWorkerRegistry({ url, now }: RedisWorkerRegistryOptions): WorkerRegistry {
  const target = parseRedisUrl(url, ['hash', 'timeoutMs'])
  const key = target.parameters['hash'] ?? 'workers'
  const keys = [key, `{${key}}:deadlines`]
  const timeoutMs = integerParameter(target, 'timeoutMs', 1000)
  const redis = RedisConnection.start({ target, name: 'ballast-workers', timeoutMs, mayForget: true })
  const nowMs = (): number | string => now?.() ?? ''
  return {
    async announce(worker, ttlMs) {
      checkAnnouncement(worker, ttlMs)
      const { name, details } = worker
      await runScript(redis, announceScript, keys, [nowMs(), name, Math.ceil(ttlMs), JSON.stringify(details)])
    },
    async alive() {
      const found = asList(await runScript(redis, aliveScript, keys, [nowMs()]))
      const workers: AliveWorker[] = []
      for (let at = 0; at < found.length; at += 2) {
        const worker = decode(asText(found[at]), asText(found[at + 1]))
        if (worker !== undefined) workers.push(worker)
      }
      return workers.toSorted(byName)
    },
    async forget(name) {
      await redis.send(['HDEL', key, name])
      await redis.send(['ZREM', keys[1] ?? '', name])
    },
    check: async () => void (await redis.send(['PING'])),
    close: () => redis.close(),
    [Symbol.asyncDispose]: () => redis.close(),
  }
}

/** What another program wrote under a name, or somebody deleted, is no worker until its next heartbeat. */
function decode(name: string, text: string): AliveWorker | undefined {
  try {
    const { untilMs, details }: Record<string, unknown> = JSON.parse(text)
    if (typeof untilMs !== 'number' || typeof details !== 'object' || details === null) return undefined
    return { name, untilMs, details: Object.fromEntries(Object.entries(details).map(([k, v]) => [k, String(v)])) }
  } catch {
    return undefined
  }
}
