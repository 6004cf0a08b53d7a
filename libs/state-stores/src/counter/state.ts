import { isLive, type Folded, type FoldState, type TokenRecord } from './fold.ts'
import type { Counter, CounterName, ScanOptions } from './port.ts'
import { SortedNames } from './sorted-names.ts'

/**
 * All counters and tokens of a store that lives in memory, and what follows from time passing.
 * Merging a fold costs O(changed); forgetting tokens O(forgotten).
 */
export class CounterState implements FoldState {
  readonly counters = new Map<CounterName, Counter>()
  /** In the order of their expiry, as the window is one for all: the oldest come first. */
  readonly tokens = new Map<string, TokenRecord>()
  lastVersion = 0n
  /** The latest time seen. */
  nowMs = 0
  /** How far that is ahead of the clock. */
  #aheadMs = 0
  /** From the first scan on. */
  #sorted: SortedNames | undefined
  readonly #expiring = new Set<CounterName>()
  #sweepAtMs = 0

  get liveTokens(): number {
    return this.tokens.size
  }

  /**
   * Returns the time, which never goes backwards: after a clock was set back it goes on from the latest time seen, at the
   * pace of the clock. Standing still until the clock has caught up would keep what should expire.
   */
  advance(clockMs: number): number {
    this.#aheadMs = Math.max(this.#aheadMs, this.nowMs - clockMs)
    this.nowMs = clockMs + this.#aheadMs
    for (const [id, { expiresAtMs }] of this.tokens) {
      if (expiresAtMs > this.nowMs) break
      this.tokens.delete(id)
    }
    this.#sweep()
    return this.nowMs
  }

  /** Takes over what has become durable. */
  merge({ counters, tokens, lastVersion }: Pick<Folded, 'counters' | 'tokens' | 'lastVersion'>): void {
    for (const [name, counter] of counters) {
      this.#expiring.delete(name)
      if (counter === undefined) this.#delete(name)
      else {
        if (!this.counters.has(name)) this.#sorted?.add(name)
        this.counters.set(name, counter)
        if (counter.expiresAtMs !== undefined) this.#expiring.add(name)
      }
    }
    for (const [id, record] of tokens) {
      this.tokens.delete(id)
      this.tokens.set(id, record)
    }
    this.lastVersion = lastVersion
  }

  /** One of those a snapshot holds. */
  restoreCounter(counter: Counter): void {
    this.counters.set(counter.name, counter)
    if (counter.expiresAtMs !== undefined) this.#expiring.add(counter.name)
    this.#sorted?.add(counter.name)
  }

  /** One of those a snapshot holds, in its order. One that was used again after its window comes twice: the later counts. */
  restoreToken(id: string, record: TokenRecord): void {
    this.tokens.delete(id)
    this.tokens.set(id, record)
  }

  get(name: CounterName): Counter | undefined {
    const counter = this.counters.get(name)
    return counter !== undefined && isLive(counter, this.nowMs) ? counter : undefined
  }

  /** O(log n + found); the first one O(n log n). */
  scan({ prefix = '', after = '', limit }: ScanOptions): Counter[] {
    this.#sorted ??= new SortedNames(this.counters.keys())
    const found: Counter[] = []
    if (limit <= 0) return found
    for (const name of this.#sorted.from(prefix, after)) {
      if (!name.startsWith(prefix)) break
      const counter = this.get(name)
      if (counter === undefined) continue
      found.push(counter)
      if (found.length >= limit) break
    }
    return found
  }

  /** Expired counters are absent at once; their memory is freed by a look at all that can expire, once a second at most. */
  #sweep(): void {
    if (this.nowMs < this.#sweepAtMs) return
    this.#sweepAtMs = this.nowMs + 1000
    for (const name of this.#expiring) {
      const counter = this.counters.get(name)
      if (counter !== undefined && isLive(counter, this.nowMs)) continue
      this.#expiring.delete(name)
      this.#delete(name)
    }
  }

  #delete(name: CounterName): void {
    if (this.counters.delete(name)) this.#sorted?.delete(name)
  }
}
