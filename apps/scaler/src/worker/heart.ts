import type { Heartbeat, WorkerSide } from '@ballast/state-stores/work-item'
import { SupersededError, type Ticker } from './ticker.ts'

export interface HeartOptions {
  readonly workers: WorkerSide
  readonly ticker: Ticker
  readonly ttlMs: number
  readonly monotonicMs: () => number
  readonly onDraining: () => void
}

/**
 * Tells the store that this worker lives, as long as it does its work: one whose ticks have failed for `stalledMs` falls silent, so
 * that others get its rows.
 */
export class Heart {
  readonly #options: HeartOptions
  readonly #stalledMs: number
  #last: Extract<Heartbeat, { kind: 'alive' }> | undefined

  constructor(options: HeartOptions) {
    this.#options = options
    this.#stalledMs = Math.max(10_000, options.ttlMs * 3)
  }

  /** All is paused by an operator, as far as known. */
  get paused(): boolean {
    return this.#last?.paused ?? false
  }

  get draining(): boolean {
    return this.#last?.draining ?? false
  }

  /** Live workers beside this one that take rows, as far as known. */
  get otherTakers(): number {
    return this.#last?.otherTakers ?? 0
  }

  async step(): Promise<void> {
    const { workers, ticker, ttlMs, monotonicMs, onDraining } = this.#options
    if (monotonicMs() - ticker.lastSuccessMs > this.#stalledMs) return
    const report = {
      ttlMs,
      rows: ticker.last?.rows ?? 0,
      lastTickMs: ticker.last?.nowMs ?? 0,
      longestGapTicks: ticker.longestGapTicks,
    }
    const beat = await workers.heartbeat(ticker.lease, report)
    if (beat.kind === 'superseded') {
      throw new SupersededError(
        `another process works as ${JSON.stringify(ticker.lease.name)}; give each worker a name of its own`,
      )
    }
    if (beat.draining && !this.draining) onDraining()
    this.#last = beat
  }
}
