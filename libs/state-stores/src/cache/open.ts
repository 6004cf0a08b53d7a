import { memoryCache } from './memory.ts'
import type { CacheStore } from './port.ts'

/** Opens the cache that the URL names: `memory:` or `redis://host:port/db`. */
export async function openCache(url: string): Promise<CacheStore> {
  if (url === 'memory:') return memoryCache()
  if (/^rediss?:/.test(url)) return (await import('./redis.ts')).redisCache({ url })
  throw new Error(`no cache backend for "${url}"; use memory: or redis://host:port/db`)
}
