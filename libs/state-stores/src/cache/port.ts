/** What a cache keeps about one key. Times are unix ms of the cache's own clock. */
export interface CacheEntry {
  /** `undefined`: it is known that there is no value. */
  readonly value: string | undefined
  /** Until then it is served as it is. */
  readonly freshUntilMs: number
  /** Until then it is served while a refresh runs; afterwards it is gone. */
  readonly staleUntilMs: number
}

/**
 * A place for values which can be had again: it may forget any entry at any time and keeps nothing over a restart.
 * Nothing here is a promise; a rejection is treated as a miss by `ReadThrough`.
 */
export interface CacheStore extends AsyncDisposable {
  /** The entry, fresh or stale; `undefined` when there is none or it is past `staleUntilMs`. */
  get(key: string): Promise<CacheEntry | undefined>
  set(key: string, entry: CacheEntry): Promise<void>
  /** Forgets everything and returns how many entries there were. */
  clear(): Promise<number>
  size(): Promise<number>
  close(): Promise<void>
}
