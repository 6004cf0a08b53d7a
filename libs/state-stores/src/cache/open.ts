import { orChooseAnother } from '../start-error.ts'
import { memoryCache } from './memory.ts'
import type { CacheStore } from './port.ts'

export interface OpenCacheOptions {
  /** What the user turns to choose another cache, for the sentence that says why this one cannot be opened. */
  readonly setting?: string
}

/** Opens the cache that the URL names: `memory:` or `redis://host:port/db`. */
export function openCache(url: string, { setting }: OpenCacheOptions = {}): Promise<CacheStore> {
  return orChooseAnother(setting, () => open(url))
}

async function open(url: string): Promise<CacheStore> {
  if (url === 'memory:') return memoryCache()
  if (/^rediss?:/.test(url)) return (await import('./redis.ts')).redisCache({ url })
  // Only the scheme: what was pasted may hold a password.
  throw new Error(`no cache backend for "${url.slice(0, url.indexOf(':') + 1)}"; use memory: or redis://host:port/db`)
}
