import type { CacheEntry, CacheStore } from './port.ts'

/** A cache in this process; beyond `maxEntries` the least recently used one goes. */
export function memoryCache({ maxEntries = 10_000, now = Date.now } = {}): CacheStore {
  // A Map iterates in order of insertion, so its first key is the one that was used longest ago.
  const entries = new Map<string, CacheEntry>()
  return {
    async get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (now() >= entry.staleUntilMs) return undefined
      entries.set(key, entry)
      return entry
    },
    async set(key, entry) {
      entries.delete(key)
      entries.set(key, entry)
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break
        entries.delete(oldest)
      }
    },
    async clear() {
      const { size } = entries
      entries.clear()
      return size
    },
    size: async () => entries.size,
    check: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
