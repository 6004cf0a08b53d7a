/** Where in the second ticks may fall: not at its very start, where a small error of the estimate would hit the second before. */
const earliestMs = 50
const latestMs = 700

/**
 * The clock of the store, carried on between answers by the own monotonic clock. Only for deciding when to ask: what a tick is the
 * store says itself.
 */
export class StoreClock {
  readonly #monotonicMs: () => number
  #baseline: { readonly storeMs: number; readonly monotonicMs: number } | undefined

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /** The store said `storeMs` at some moment after `askedAtMs` on the monotonic clock. */
  set(storeMs: number, askedAtMs: number): void {
    this.#baseline = { storeMs, monotonicMs: askedAtMs }
  }

  /** Undefined before the first answer. */
  nowMs(): number | undefined {
    return this.#baseline && this.#baseline.storeMs + this.#monotonicMs() - this.#baseline.monotonicMs
  }

  /** Time until `phaseMs` into the second after `tick`; at once when it is over or unknown. */
  untilTickAfter(tick: bigint | undefined, phaseMs: number): number {
    const nowMs = this.nowMs()
    if (nowMs === undefined || tick === undefined) return 0
    return Math.max(0, (Number(tick) + 1) * 1000 + phaseMs - nowMs)
  }
}

/** Spreads workers over the second, so that the database is not asked by all at once. `unit` is in [0, 1). */
export function phaseOf(unit: number): number {
  return earliestMs + unit * (latestMs - earliestMs)
}
