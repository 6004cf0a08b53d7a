import type { Cause } from './decide.ts'

export interface PacingOptions {
  readonly joinSettleMs: number
  readonly rebalanceIntervalMs: number
}

/**
 * When a decision may be carried out. A loss is repaired at once. A join waits until the next one may have come, so that workers which
 * start together cause one plan. Row counts, which change all the time, move rows only every so often.
 */
export class Pacing {
  readonly #options: PacingOptions
  #joinSeenMs: number | undefined
  #lastMoveMs = Number.NEGATIVE_INFINITY

  constructor(options: PacingOptions) {
    this.#options = options
  }

  mayAct(cause: Cause | undefined, nowMs: number): boolean {
    if (cause !== 'joined') this.#joinSeenMs = undefined
    if (cause === 'joined') {
      this.#joinSeenMs ??= nowMs
      return nowMs - this.#joinSeenMs >= this.#options.joinSettleMs
    }
    if (cause === 'uneven') return nowMs - this.#lastMoveMs >= this.#options.rebalanceIntervalMs
    return cause === 'left'
  }

  acted(nowMs: number): void {
    this.#joinSeenMs = undefined
    this.#lastMoveMs = nowMs
  }
}
