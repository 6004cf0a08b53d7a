import type { Ticked, WorkerLease, WorkerSide } from '@ballast/state-stores/work-item'
import type { WorkerMetrics } from './metrics.ts'
import type { StoreClock } from './store-clock.ts'

/** How far the store's clock may be from where it is expected. Beyond, nothing is ticked: an hour's jump would credit 3,600 ticks. */
const clockToleranceMs = 30_000
/** More refusals in a row than hand-overs could explain. */
const mostRefusals = 5

export interface TickerParts {
  readonly workers: WorkerSide
  readonly clock: StoreClock
  readonly monotonicMs: () => number
  readonly phaseMs: number
  readonly metrics: WorkerMetrics
  /** Told of each successful tick, with the lease it was made under. */
  readonly ticked: (outcome: Ticked, lease: WorkerLease) => Promise<void>
}

/** Another process has registered under the same name: this one must not go on. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError'
}

export class ClockJumpError extends Error {
  override readonly name = 'ClockJumpError'
}

/**
 * Ticks what the lease holds, once a second. `step` makes one tick; it is never called twice at a time.
 *
 * The lease is replaced by the store's answers only: refused under an old fence, the ticker goes on with the current one in the same
 * second; asked to hand slots over, it does so right after the tick, so that their new owner's next tick is their next tick.
 */
export class Ticker {
  readonly #parts: TickerParts
  #lease: WorkerLease
  #last: Ticked | undefined
  #longestGapTicks = 0
  #lastSuccessMs: number
  #begunMs = Number.NEGATIVE_INFINITY

  constructor(lease: WorkerLease, parts: TickerParts) {
    this.#lease = lease
    this.#parts = parts
    this.#lastSuccessMs = parts.monotonicMs()
  }

  get lease(): WorkerLease {
    return this.#lease
  }

  get last(): Ticked | undefined {
    return this.#last
  }

  /** The most ticks that one row got at once. */
  get longestGapTicks(): number {
    return this.#longestGapTicks
  }

  /** Monotonic time at which the last successful tick began; the lease is at least as new. */
  get begunMs(): number {
    return this.#begunMs
  }

  /** Monotonic time of the last successful tick, or of the start. */
  get lastSuccessMs(): number {
    return this.#lastSuccessMs
  }

  untilDueMs(): number {
    return this.#parts.clock.untilTickAfter(this.#last?.tick, this.#parts.phaseMs)
  }

  async step(): Promise<void> {
    const { clock, monotonicMs, metrics, phaseMs, ticked } = this.#parts
    const dueMs = clock.untilTickAfter(this.#last?.tick, phaseMs)
    const begunMs = monotonicMs()
    const outcome = await this.#tick()
    const endedMs = monotonicMs()
    const due = (Number(this.#last?.tick ?? outcome.tick - 1n) + 1) * 1000 + phaseMs
    metrics.ticked(outcome, (endedMs - begunMs) / 1000, dueMs > 0 ? 0 : Math.max(0, outcome.nowMs - due) / 1000)
    this.#last = outcome
    this.#lastSuccessMs = endedMs
    this.#longestGapTicks = Math.max(this.#longestGapTicks, outcome.longestGapTicks ?? 0)
    const lease = this.#lease
    if (outcome.toHandOver > 0) await this.#handOver()
    this.#begunMs = begunMs
    await ticked(outcome, lease)
  }

  async #tick(): Promise<Ticked> {
    const { workers, clock, monotonicMs, metrics } = this.#parts
    for (let attempt = 0; attempt < mostRefusals; attempt++) {
      const expectedNowMs = clock.nowMs()
      const askedAtMs = monotonicMs()
      const outcome = await workers.tick(
        this.#lease,
        expectedNowMs === undefined ? undefined : { expectedNowMs, clockToleranceMs },
      )
      switch (outcome.kind) {
        case 'ticked':
          clock.set(outcome.nowMs, askedAtMs)
          return outcome
        case 'fenced':
          metrics.fenced()
          this.#lease = outcome.lease
          break
        case 'superseded':
          throw supersededBy(this.#lease)
        case 'clock-jump': {
          const jump = Math.round((outcome.nowMs - outcome.expectedNowMs) / 1000)
          throw new ClockJumpError(
            `clock_jump: the database's clock has moved by ${jump} s; nothing is ticked until it is back`,
          )
        }
      }
    }
    throw new Error(`refused ${mostRefusals} times in a row; another tick in a second`)
  }

  async #handOver(): Promise<void> {
    const outcome = await this.#parts.workers.handOver(this.#lease)
    switch (outcome.kind) {
      case 'handed-over':
        this.#parts.metrics.handedOver(outcome.slots)
        this.#lease = outcome.lease
        break
      case 'fenced':
        this.#lease = outcome.lease
        break
      case 'superseded':
        throw supersededBy(this.#lease)
    }
  }
}

function supersededBy({ name }: WorkerLease): SupersededError {
  return new SupersededError(`another process works as ${JSON.stringify(name)}; give each worker a name of its own`)
}
