import { randomUUID } from 'node:crypto'
import { RedisConnection } from '../redis/connection.ts'
import { asList, asNumber, asText } from '../redis/reply.ts'
import { runScript, script } from '../redis/script.ts'
import { integerParameter, parseRedisUrl } from '../redis/url.ts'
import { memoryCache } from './memory.ts'
import type { CacheEntry, CacheStore } from './port.ts'

export interface RedisCacheOptions {
  /**
   * `redis://host:6379/1`; parameters: `prefix` of the keys (default `cache:`), `nearMs` (how long an entry is served from
   * this process, default 1000), `timeoutMs` (default 250). Any eviction policy will do.
   */
  readonly url: string
  readonly now?: () => number
}

/** Redis forgets an entry this much later than it ends, so that its clock need not agree with ours to the millisecond. */
const slackMs = 5000

const releaseScript = script(`return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0`)

/**
 * A cache which processes share, in Redis under keys of their own. A fresh entry is also kept in this process for a
 * moment, because a key that everybody reads would otherwise cost a round trip for each read.
 *
 * It opens without the server and rejects while it is away: a read is then loaded from the store by `ReadThrough`.
 */
export function redisCache({ url, now = Date.now }: RedisCacheOptions): CacheStore {
  const target = parseRedisUrl(url, ['prefix', 'nearMs', 'timeoutMs'])
  const prefix = target.parameters['prefix'] ?? 'cache:'
  const nearMs = integerParameter(target, 'nearMs', 1000)
  const timeoutMs = integerParameter(target, 'timeoutMs', 250)
  const redis = RedisConnection.start({ target, name: 'ballast-cache', timeoutMs, mayForget: true })
  const near = memoryCache({ maxEntries: 1000, now })
  const nearUntil = new Map<string, number>()

  const keep = async (key: string, entry: CacheEntry): Promise<void> => {
    if (nearUntil.size > 1000) nearUntil.clear()
    nearUntil.set(key, Math.min(entry.freshUntilMs, now() + nearMs))
    await near.set(key, entry)
  }
  const keys = async (action: (found: readonly string[]) => Promise<void>): Promise<number> => {
    const pattern = `${prefix.replace(/[[\]?*\\]/g, String.raw`\$&`)}value:*`
    const all = new Set<string>()
    let cursor = '0'
    do {
      const [next, found] = asList(await redis.send(['SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000]))
      const names = asList(found).map(asText)
      for (const name of names) all.add(name)
      if (names.length > 0) await action(names)
      cursor = asText(next)
    } while (cursor !== '0')
    return all.size
  }

  return {
    async get(key) {
      if (now() < (nearUntil.get(key) ?? 0)) {
        const entry = await near.get(key)
        if (entry !== undefined) return entry
      }
      const stored = await redis.send(['GET', `${prefix}value:${key}`])
      const entry = stored === null ? undefined : decode(asText(stored))
      if (entry === undefined || now() >= entry.staleUntilMs) return undefined
      await keep(key, entry)
      return entry
    },
    async set(key, entry) {
      await keep(key, entry)
      const ttlMs = Math.ceil(entry.staleUntilMs - now()) + slackMs
      if (ttlMs > 0) await redis.send(['SET', `${prefix}value:${key}`, encode(entry), 'PX', ttlMs])
    },
    async lease(key, ttlMs) {
      const token = randomUUID()
      const name = `${prefix}lease:${key}`
      if ((await redis.send(['SET', name, token, 'NX', 'PX', Math.ceil(ttlMs)])) === null) return undefined
      return async () => void (await runScript(redis, releaseScript, [name], [token]))
    },
    async clear() {
      nearUntil.clear()
      await near.clear()
      let removed = 0
      await keys(async (found) => void (removed += asNumber(await redis.send(['UNLINK', ...found]))))
      return removed
    },
    size: () => keys(async () => {}),
    check: async () => void (await redis.send(['PING'])),
    close: () => redis.close(),
    [Symbol.asyncDispose]: () => redis.close(),
  }
}

const encode = (entry: CacheEntry): string => JSON.stringify({ v: 1, ...entry })

/** What another release or program wrote is a miss. */
function decode(text: string): CacheEntry | undefined {
  try {
    const { v, value, freshUntilMs, staleUntilMs, loadMs }: Record<string, unknown> = JSON.parse(text)
    const known = v === 1 && (value === undefined || typeof value === 'string')
    if (!known || typeof freshUntilMs !== 'number' || typeof staleUntilMs !== 'number') return undefined
    return { value, freshUntilMs, staleUntilMs, ...(typeof loadMs === 'number' ? { loadMs } : {}) }
  } catch {
    return undefined
  }
}
