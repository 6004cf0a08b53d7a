import { setTimeout as delay } from 'node:timers/promises'
import type { CacheEntry, CacheStore } from './port.ts'

export interface ReadThroughOptions {
  readonly cache: CacheStore
  /** Reads the value from where it really is; `undefined` when there is none. */
  readonly load: (key: string) => Promise<string | undefined>
  readonly ttlMs: number
  /** How long after its time a value is still served while one refresh runs. */
  readonly staleMs: number
  /** How long the absence of a value is believed; short, because it usually ends. */
  readonly negativeTtlMs: number
  /** How long a failed load is not repeated, so that a store that is down is not asked by every caller. */
  readonly retryMs: number
  readonly now?: () => number
  /** 0 to 1, 0 excluded. */
  readonly random?: () => number
}

export interface ReadThroughCounts {
  /** Reads answered from a fresh entry, from a stale one, by waiting for a load. */
  readonly hits: number
  readonly stale: number
  readonly misses: number
  readonly loads: number
  /** Of the hits: those that began a refresh before its time. */
  readonly early: number
  readonly failedLoads: number
}

/** How long another process may take to load before it is no longer waited for. */
const leaseMs = 2000
const leasePollMs = 20
const everybody = async (): Promise<void> => {}

/**
 * Reads through a cache with one load per key at a time (single flight): a thousand callers that miss together cost
 * one read of the store. A stale value is served at once while one load refreshes it, and is served on while loads fail.
 * A fresh one is refreshed before its time with a chance that grows towards its end (XFetch: Vattani et al., VLDB 2015), so
 * that processes which cached it together do not come back together.
 */
export class ReadThrough {
  readonly #options: ReadThroughOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #flights = new Map<string, Promise<string | undefined>>()
  readonly #failedAtMs = new Map<string, { readonly atMs: number; readonly error: unknown }>()
  readonly #counts = { hits: 0, stale: 0, misses: 0, loads: 0, early: 0, failedLoads: 0 }

  constructor(options: ReadThroughOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? (() => 1 - Math.random())
  }

  get counts(): ReadThroughCounts {
    return this.#counts
  }

  /** Rejects with the error of the load when there is nothing to serve. One look serves, and counts as, `times` reads of the same moment. */
  async read(key: string, times = 1): Promise<string | undefined> {
    const entry = await this.#options.cache.get(key).catch(() => undefined)
    if (entry !== undefined && this.#now() < entry.freshUntilMs) {
      this.#counts.hits += times
      if (this.#isDue(entry)) this.#refreshEarly(key, entry)
      return entry.value
    }
    if (entry !== undefined) {
      this.#counts.stale += times
      // The refresh belongs to nobody: its failure is counted and remembered, and the stale value stays.
      this.#load(key, entry).catch(() => {})
      return entry.value
    }
    this.#counts.misses += times
    return this.#load(key)
  }

  #isDue({ value, freshUntilMs, loadMs = 0 }: CacheEntry): boolean {
    const leftMs = freshUntilMs - this.#now()
    // -ln(random) is above 20 once in 500 million; the logarithm is spared to all the reads long before the end.
    if (value === undefined || leftMs > loadMs * 20) return false
    return -Math.log(this.#random()) * loadMs >= leftMs
  }

  #refreshEarly(key: string, entry: CacheEntry): void {
    if (this.#flights.has(key)) return
    this.#counts.early++
    this.#load(key, entry).catch(() => {})
  }

  #load(key: string, seen?: CacheEntry): Promise<string | undefined> {
    const running = this.#flights.get(key)
    if (running !== undefined) return running
    const failed = this.#failedAtMs.get(key)
    if (failed !== undefined && this.#now() - failed.atMs < this.#options.retryMs) return Promise.reject(failed.error)
    const flight = this.#fly(key, seen?.freshUntilMs ?? 0).finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }

  /** Loads the value, or gets one that another process loads meanwhile: fresher than what was seen. */
  async #fly(key: string, seenUntilMs: number): Promise<string | undefined> {
    const deadlineMs = performance.now() + leaseMs
    for (;;) {
      const release = await this.#lease(key)
      if (release !== undefined || performance.now() > deadlineMs) {
        try {
          // Who held the lease before may have just finished; a cache without leases has no others.
          const other = release === undefined || release === everybody ? undefined : await this.#newer(key, seenUntilMs)
          return other === undefined ? await this.#loadFromStore(key) : other.value
        } finally {
          await release?.().catch(() => {})
        }
      }
      await delay(leasePollMs)
      const entry = await this.#newer(key, seenUntilMs)
      if (entry !== undefined) return entry.value
    }
  }

  async #newer(key: string, seenUntilMs: number): Promise<CacheEntry | undefined> {
    const entry = await this.#options.cache.get(key).catch(() => undefined)
    return entry !== undefined && entry.freshUntilMs > Math.max(seenUntilMs, this.#now()) ? entry : undefined
  }

  /** A cache that is away, or not shared, lets everybody load: the flight of this process is still the only one in it. */
  async #lease(key: string): Promise<(() => Promise<void>) | undefined> {
    const { cache } = this.#options
    return cache.lease === undefined ? everybody : cache.lease(key, leaseMs).catch(() => everybody)
  }

  async #loadFromStore(key: string): Promise<string | undefined> {
    this.#counts.loads++
    const startedMs = this.#now()
    try {
      const value = await this.#options.load(key)
      this.#failedAtMs.delete(key)
      await this.#options.cache.set(key, this.#entry(value, this.#now() - startedMs)).catch(() => {})
      return value
    } catch (error) {
      this.#counts.failedLoads++
      this.#failedAtMs.set(key, { atMs: this.#now(), error })
      throw error
    }
  }

  #entry(value: string | undefined, loadMs: number): CacheEntry {
    const { ttlMs, staleMs, negativeTtlMs } = this.#options
    const nowMs = this.#now()
    if (value === undefined) return { value, freshUntilMs: nowMs + negativeTtlMs, staleUntilMs: nowMs + negativeTtlMs }
    return { value, freshUntilMs: nowMs + ttlMs, staleUntilMs: nowMs + ttlMs + staleMs, loadMs }
  }
}
