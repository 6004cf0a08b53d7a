/** What a cache keeps about one key. Times are unix ms of the cache's own clock. */
export interface CacheEntry {
  /** `undefined`: it is known that there is no value. */
  readonly value: string | undefined
  /** Until then it is served as it is. */
  readonly freshUntilMs: number
  /** Until then it is served while a refresh runs; afterwards it is gone. */
  readonly staleUntilMs: number
  /** How long the load took; tells how early a refresh has to begin. */
  readonly loadMs?: number
}

/**
 * A place for values which can be had again: it may forget any entry at any time and keeps nothing over a restart.
 * Nothing here is a promise; a rejection is treated as a miss by `ReadThrough`.
 */
export interface CacheStore extends AsyncDisposable {
  /** The entry, fresh or stale; `undefined` when there is none or it is past `staleUntilMs`. */
  get(key: string): Promise<CacheEntry | undefined>
  set(key: string, entry: CacheEntry): Promise<void>
  /**
   * Asks to be the only one, of all processes that share the cache, who loads this key: returns how to give that up, or
   * nothing while somebody else has it, for `ttlMs` at most. Only where processes share a cache (Nishtala et al., NSDI 2013).
   */
  lease?(key: string, ttlMs: number): Promise<(() => Promise<void>) | undefined>
  /** Forgets everything and returns how many entries there were. */
  clear(): Promise<number>
  size(): Promise<number>
  /** Rejects with what is wrong; reads go on without the cache meanwhile. */
  check(): Promise<void>
  close(): Promise<void>
}
