import type { Cause } from './decide.ts'

export interface PacingOptions {
  readonly joinSettleMs: number
  readonly rebalanceIntervalMs: number
  /** Plans that are published, whatever their cause; twice as many at once. Undefined: no limit. */
  readonly maxPlansPerSecond?: number
}

/**
 * When a decision may be carried out. A loss is repaired at once. A join waits until the next one may have come, so that workers which
 * start together cause one plan. Row counts, which change all the time, move rows only every so often. Above all that there is a
 * limit, so that whatever flaps costs a bounded number of plans.
 */
export class Pacing {
  readonly #options: PacingOptions
  #joinSeenMs: number | undefined
  #lastMoveMs = Number.NEGATIVE_INFINITY
  /** When the allowance of plans is whole again (generic cell rate algorithm). */
  #wholeAtMs = Number.NEGATIVE_INFINITY

  constructor(options: PacingOptions) {
    this.#options = options
  }

  mayAct(
    cause: Cause | undefined,
    nowMs: number,
    rebalanceIntervalMs: number = this.#options.rebalanceIntervalMs,
  ): boolean {
    if (cause !== 'joined') this.#joinSeenMs = undefined
    if (cause === 'joined') this.#joinSeenMs ??= nowMs
    if (cause === undefined || this.#wholeAtMs - nowMs > this.#everyMs) return false
    if (cause === 'joined') return nowMs - (this.#joinSeenMs ?? nowMs) >= this.#options.joinSettleMs
    return cause === 'left' || nowMs - this.#lastMoveMs >= rebalanceIntervalMs
  }

  acted(nowMs: number): void {
    this.#joinSeenMs = undefined
    this.#lastMoveMs = nowMs
    this.#wholeAtMs = Math.max(nowMs, this.#wholeAtMs) + this.#everyMs
  }

  get #everyMs(): number {
    const { maxPlansPerSecond } = this.#options
    return maxPlansPerSecond === undefined ? 0 : 1_000 / maxPlansPerSecond
  }
}
