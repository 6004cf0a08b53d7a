import { memoryCache } from './memory.ts'
import type { CacheStore } from './port.ts'

/** Opens the cache that the URL names: `memory:`. */
export async function openCache(url: string): Promise<CacheStore> {
  if (url === 'memory:') return memoryCache()
  throw new Error(`no cache backend for "${url}"; use memory:`)
}
