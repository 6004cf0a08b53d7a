import { minimumAt, type Shift } from './schedule.ts'

export interface AutoscaleConfig {
  /** A worker for each so many rows. */
  readonly rowsPerWorker: number
  readonly minWorkers: number
  readonly maxWorkers: number
  /** Workers that join or leave in one step at most. */
  readonly maxStepUp: number
  readonly maxStepDown: number
  /** After a step up, or down, until the next one up. */
  readonly upCooldownMs: number
  /** After any step until one down; and for so long fewer must have been enough, without a break. */
  readonly downCooldownMs: number
  /** Hysteresis: fewer are enough only when they would be filled to less than 1 - this, in thousandths. */
  readonly slackPermille: number
  /** Times of the day with a minimum of their own. */
  readonly schedule: readonly Shift[]
}

export interface AutoscaleState {
  readonly rows: number
  /** That the target has, or is about to have. */
  readonly workers: number
  readonly lastUpMs: number | undefined
  readonly lastDownMs: number | undefined
  /** Since when fewer have been enough. */
  readonly enoughSinceMs: number | undefined
}

export interface AutoscaleDecision {
  /** How many workers there should be now. */
  readonly wanted: number
  readonly reason: string
  /** For the next call, if `wanted` is carried out. */
  readonly next: AutoscaleState
}

/**
 * How many workers there should be: pure, no clock. Fast up: too many rows for those who are there are answered at once, step by step.
 * Slow down: fewer must have been enough, with slack, for the whole cooldown. Between both lies a band in which nothing
 * changes, so a number of rows that wavers around a threshold moves nobody. `minWorkers` goes before rows, `maxWorkers` before all.
 */
export function decide(state: AutoscaleState, config: AutoscaleConfig, nowMs: number): AutoscaleDecision {
  const { rows, workers } = state
  const most = config.maxWorkers
  const least = Math.min(most, Math.max(config.minWorkers, minimumAt(config.schedule, nowMs)))
  const bounded = (count: number) => Math.min(most, Math.max(least, count))
  const needed = bounded(Math.ceil(rows / config.rowsPerWorker))
  const enough = bounded(Math.ceil(rows / (config.rowsPerWorker * (1 - config.slackPermille / 1_000))))
  const stay = (reason: string, enoughSinceMs?: number): AutoscaleDecision => ({
    wanted: workers,
    reason,
    next: { ...state, enoughSinceMs },
  })

  if (needed > workers) {
    const waitMs = leftOf(config.upCooldownMs, nowMs, state.lastUpMs, state.lastDownMs)
    if (waitMs > 0) return stay(`${needed} are needed, in ${seconds(waitMs)} s`)
    const wanted = Math.min(needed, workers + config.maxStepUp)
    const reason = `${rows} rows need ${needed}`
    return { wanted, reason, next: { ...state, workers: wanted, lastUpMs: nowMs, enoughSinceMs: undefined } }
  }
  if (enough >= workers) return stay('as many as are needed')
  const enoughSinceMs = state.enoughSinceMs ?? nowMs
  const tooMany = workers > most
  const steady = tooMany ? 0 : leftOf(config.downCooldownMs, nowMs, enoughSinceMs)
  const waitMs = Math.max(steady, leftOf(config.downCooldownMs, nowMs, state.lastUpMs, state.lastDownMs))
  if (waitMs > 0) return stay(`${enough} would be enough; fewer in ${seconds(waitMs)} s at the earliest`, enoughSinceMs)
  const wanted = Math.max(enough, workers - config.maxStepDown)
  const reason = tooMany ? `${most} are the most` : `${enough} are enough for ${rows} rows`
  // What was enough goes on being so while it goes down in steps.
  return { wanted, reason, next: { ...state, workers: wanted, lastDownMs: nowMs, enoughSinceMs } }
}

/** What is left of a time that began at the latest of some moments. */
function leftOf(durationMs: number, nowMs: number, ...sinceMs: readonly (number | undefined)[]): number {
  const known = sinceMs.filter((ms) => ms !== undefined)
  return known.length === 0 ? 0 : Math.max(0, Math.max(...known) + durationMs - nowMs)
}

const seconds = (ms: number): number => Math.ceil(ms / 1_000)
