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
}

export interface ReadThroughCounts {
  /** Reads answered from a fresh entry, from a stale one, by waiting for a load. */
  readonly hits: number
  readonly stale: number
  readonly misses: number
  readonly loads: number
  readonly failedLoads: number
}

/** How long another process may take to load before it is no longer waited for. */
const leaseMs = 2000
const leasePollMs = 20
const everybody = async (): Promise<void> => {}

/**
 * Reads through a cache with one load per key at a time (single flight): a thousand callers that miss together cost
 * one read of the store. A stale value is served at once while one load refreshes it, and is served on while loads fail.
 */
export class ReadThrough {
  readonly #options: ReadThroughOptions
  readonly #now: () => number
  readonly #flights = new Map<string, Promise<string | undefined>>()
  readonly #failedAtMs = new Map<string, { readonly atMs: number; readonly error: unknown }>()
  readonly #counts = { hits: 0, stale: 0, misses: 0, loads: 0, failedLoads: 0 }

  constructor(options: ReadThroughOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  get counts(): ReadThroughCounts {
    return this.#counts
  }

  /** Rejects with the error of the load when there is nothing to serve. */
  async read(key: string): Promise<string | undefined> {
    const entry = await this.#options.cache.get(key).catch(() => undefined)
    if (entry !== undefined && this.#now() < entry.freshUntilMs) {
      this.#counts.hits++
      return entry.value
    }
    if (entry !== undefined) {
      this.#counts.stale++
      // The refresh belongs to nobody: its failure is counted and remembered, and the stale value stays.
      this.#load(key).catch(() => {})
      return entry.value
    }
    this.#counts.misses++
    return this.#load(key)
  }

  #load(key: string): Promise<string | undefined> {
    const running = this.#flights.get(key)
    if (running !== undefined) return running
    const failed = this.#failedAtMs.get(key)
    if (failed !== undefined && this.#now() - failed.atMs < this.#options.retryMs) return Promise.reject(failed.error)
    const flight = this.#fly(key).finally(() => this.#flights.delete(key))
    this.#flights.set(key, flight)
    return flight
  }

  /** Loads the value, or gets the one that another process which holds the lease is loading. */
  async #fly(key: string): Promise<string | undefined> {
    const deadlineMs = performance.now() + leaseMs
    for (;;) {
      const release = await this.#lease(key)
      if (release !== undefined || performance.now() > deadlineMs) {
        try {
          return await this.#loadFromStore(key)
        } finally {
          await release?.().catch(() => {})
        }
      }
      await delay(leasePollMs)
      const entry = await this.#options.cache.get(key).catch(() => undefined)
      if (entry !== undefined && this.#now() < entry.freshUntilMs) return entry.value
    }
  }

  /** A cache that is away, or not shared, lets everybody load: the flight of this process is still the only one in it. */
  async #lease(key: string): Promise<(() => Promise<void>) | undefined> {
    const { cache } = this.#options
    return cache.lease === undefined ? everybody : cache.lease(key, leaseMs).catch(() => everybody)
  }

  async #loadFromStore(key: string): Promise<string | undefined> {
    this.#counts.loads++
    try {
      const value = await this.#options.load(key)
      this.#failedAtMs.delete(key)
      await this.#options.cache.set(key, this.#entry(value)).catch(() => {})
      return value
    } catch (error) {
      this.#counts.failedLoads++
      this.#failedAtMs.set(key, { atMs: this.#now(), error })
      throw error
    }
  }

  #entry(value: string | undefined): CacheEntry {
    const { ttlMs, staleMs, negativeTtlMs } = this.#options
    const nowMs = this.#now()
    if (value === undefined) return { value, freshUntilMs: nowMs + negativeTtlMs, staleUntilMs: nowMs + negativeTtlMs }
    return { value, freshUntilMs: nowMs + ttlMs, staleUntilMs: nowMs + ttlMs + staleMs }
  }
}
