import { hash32, unitOf } from '@ballast/hashing'
import type { Ticked, WorkerLease, WorkerSide } from '@ballast/state-stores/work-item'
import { repeat } from '../repeat.ts'
import type { Surroundings } from '../surroundings.ts'
import { Heart } from './heart.ts'
import type { WorkerMetrics } from './metrics.ts'
import { phaseOf, StoreClock } from './store-clock.ts'
import { SupersededError, Ticker } from './ticker.ts'

const retryMs = 200
/** Twice the time between two steps of a leader: by then nothing more is aimed at a worker that is drained. */
const leaderHearsMs = 500

export interface WorkingOptions {
  readonly name: string
  readonly weight: number
  readonly ttlMs: number
  /** Its failure domain. Default: none. */
  readonly zone?: string
  /**
   * More than 0: stopping is the first half of a restart. Rows stay with this name for so long, and nothing moves when it is back by
   * then. Default 0: they go to others, and none waits. One that an operator drains gives all away in any case.
   */
  readonly restartGraceMs?: number
  readonly drainTimeoutMs: number
  readonly workers: WorkerSide
  readonly metrics: WorkerMetrics
  readonly surroundings: Surroundings
  /** Told of each successful tick, with the lease it was made under. */
  readonly ticked: (outcome: Ticked, lease: WorkerLease, paused: boolean) => Promise<void>
  /** A step failed, and is tried again. */
  readonly complain: (error: unknown) => void
  /** The rows, and the name, are another process's now: all has stopped, nothing is asked for or handed over any more. */
  readonly superseded: (error: SupersededError) => void
  readonly log: { info(fields: object, message: string): void }
}

export interface Working {
  /** Why the last step failed; undefined while all is well. */
  readonly failure: string | undefined
  readonly lease: WorkerLease
  /** The last successful tick. */
  readonly last: Ticked | undefined
  readonly draining: boolean
  /** Gives everything to others, as far as somebody takes it in time, and leaves; or leaves to come back. */
  stop(): Promise<void>
}

/** Joins under a name, then ticks and tells that it lives, until stopped. */
export async function startWorking(options: WorkingOptions): Promise<Working> {
  const {
    name,
    weight,
    zone = '',
    restartGraceMs = 0,
    ttlMs,
    workers,
    metrics,
    surroundings,
    ticked,
    complain,
    log,
  } = options
  const { monotonicMs, random, newId, delay } = surroundings
  const lease = await workers.register({ name, incarnation: newId() }, { weight, ttlMs, zone })
  const ticker: Ticker = new Ticker(lease, {
    workers,
    clock: new StoreClock(monotonicMs),
    monotonicMs,
    phaseMs: phaseOf(unitOf(hash32(name), 0)),
    metrics,
    ticked: (outcome, held) => ticked(outcome, held, heart.paused && held.slots.length === 0),
  })
  const heart: Heart = new Heart({
    workers,
    ticker,
    ttlMs,
    monotonicMs,
    onDraining: () => log.info({}, 'draining: all rows go to others'),
  })

  let failure: string | undefined
  let superseded = false
  const failed = (error: unknown) => {
    failure = error instanceof Error ? error.message : String(error)
    if (error instanceof SupersededError) giveUp(error)
    else complain(error)
  }
  const ticking = repeat(
    {
      async step() {
        await ticker.step()
        failure = undefined
      },
      pauseMs: () => (failure === undefined ? ticker.untilDueMs() : retryMs * (1 + random())),
      failed,
    },
    surroundings,
  )
  const beating = repeat({ step: () => heart.step(), pauseMs: () => ttlMs / 4, failed }, surroundings)

  function giveUp(error: SupersededError): void {
    if (superseded) return
    superseded = true
    options.superseded(error)
    void ticking.stop()
    void beating.stop()
  }

  /** Keeps ticking until others have taken everything, nobody could, or time is up. */
  async function drain(): Promise<void> {
    const deadlineMs = monotonicMs() + options.drainTimeoutMs
    if (!(await workers.drain(lease).catch(() => false))) return
    await heart.step().catch(complain)
    // Slots that were on their way here show in the lease of a tick that begins after the leader has heard of the drain.
    const heardMs = monotonicMs() + leaderHearsMs
    const mayLeave = () => superseded || (ticker.lease.slots.length === 0 && ticker.begunMs > heardMs)
    while (!mayLeave() && heart.otherTakers > 0 && monotonicMs() < deadlineMs) await delay(20)
    const left = ticker.lease.slots.length
    log.info({ slots: left }, left === 0 ? 'drained' : 'leaving with slots that others will take over')
  }

  return {
    get failure() {
      return failure
    },
    get lease() {
      return ticker.lease
    },
    get last() {
      return ticker.last
    },
    get draining() {
      return heart.draining
    },
    async stop() {
      const restarts = restartGraceMs > 0 && !heart.draining
      if (!superseded && !restarts) await drain()
      await Promise.all([beating.stop(), ticking.stop()])
      await workers.leave(lease, { restartWithinMs: restarts ? restartGraceMs : 0 }).catch(complain)
      if (restarts && !superseded) log.info({ slots: ticker.lease.slots.length }, 'leaving to come back')
    },
  }
}
