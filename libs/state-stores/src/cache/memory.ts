import type { CacheEntry, CacheStore } from './port.ts'

/** A cache in this process; beyond `maxEntries` the least recently used one goes. */
export function memoryCache({ maxEntries = 10_000, now = Date.now } = {}): CacheStore {
  // A Map iterates in order of insertion, so its first key is the one that was used longest ago.
  const entries = new Map<string, CacheEntry>()
  // To move a key to the end leaves a gap, and the Map is built anew for every few gaps: not for one that is at the end.
  let newest: string | undefined
  return {
    async get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (now() >= entry.staleUntilMs) {
        entries.delete(key)
        return undefined
      }
      if (key !== newest) {
        entries.delete(key)
        entries.set(key, entry)
        newest = key
      }
      return entry
    },
    async set(key, entry) {
      entries.delete(key)
      entries.set(key, entry)
      newest = key
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
