export interface RateLimit {
  /** Requests a client may send in the long run. */
  readonly perSecond: number
  /** Requests it may send at once after a pause. */
  readonly burst: number
}

export interface RateLimiterOptions extends RateLimit {
  /** Monotonic ms. */
  readonly nowMs?: () => number
  /** Clients that are told apart; a stranger beyond shares one allowance with all other strangers. */
  readonly maxClients?: number
}

/**
 * A limit per client by the generic cell rate algorithm (ITU-T I.371): of each only the time is kept at which its
 * allowance would be whole again, so a client costs one map entry and a request O(1). Clients whose allowance is whole are
 * forgotten. Memory is bounded without forgetting anybody early, so a flood of addresses buys nobody a fresh allowance.
 */
export class RateLimiter {
  /** By when the allowance is whole again. */
  readonly #wholeAtMs = new Map<string, number>()
  readonly #everyMs: number
  readonly #toleranceMs: number
  readonly #maxClients: number
  readonly #now: () => number
  #sweptAtMs = -Infinity

  constructor({ perSecond, burst, maxClients = 100_000, nowMs = () => performance.now() }: RateLimiterOptions) {
    this.#everyMs = 1_000 / perSecond
    this.#toleranceMs = this.#everyMs * (burst - 1)
    this.#maxClients = maxClients
    this.#now = nowMs
  }

  get size(): number {
    return this.#wholeAtMs.size
  }

  /** Milliseconds until the client may try again; 0: it may go on, and this request is counted. */
  take(client: string): number {
    const nowMs = this.#now()
    const key = this.#keyOf(client, nowMs)
    const wholeAtMs = Math.max(nowMs, this.#wholeAtMs.get(key) ?? nowMs)
    const waitMs = wholeAtMs - this.#toleranceMs - nowMs
    if (waitMs > 0) return waitMs
    this.#wholeAtMs.set(key, wholeAtMs + this.#everyMs)
    return 0
  }

  #keyOf(client: string, nowMs: number): string {
    if (this.#wholeAtMs.has(client)) return client
    // At most one sweep a second: under a flood it would otherwise be one per request.
    if (this.#wholeAtMs.size >= this.#maxClients && nowMs - this.#sweptAtMs >= 1_000) {
      this.#sweptAtMs = nowMs
      for (const [key, wholeAtMs] of this.#wholeAtMs) if (wholeAtMs <= nowMs) this.#wholeAtMs.delete(key)
    }
    return this.#wholeAtMs.size < this.#maxClients ? client : strangers
  }
}

/** No name of a client. */
const strangers = ''
