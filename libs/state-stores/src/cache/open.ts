import { namedByScheme, splitScheme } from '../split-scheme.ts'
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

async function open(given: string): Promise<CacheStore> {
  const split = splitScheme(given)
  const { url, scheme } = split
  if (url === 'memory:') return memoryCache()
  if (scheme === 'redis' || scheme === 'rediss') return (await import('./redis.ts')).redisCache({ url })
  throw new Error(`no cache backend for ${namedByScheme(split)}; use memory: or redis://host:port/db`)
}
