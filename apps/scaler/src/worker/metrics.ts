import type { Metrics } from '@ballast/metrics'
import type { Ticked } from '@ballast/state-stores/work-item'

export interface WorkerMetrics {
  ticked(outcome: Ticked, seconds: number, lateSeconds: number): void
  fenced(): void
  handedOver(slots: number): void
  watching(rows: number): void
}

export function workerMetrics(metrics: Metrics): WorkerMetrics {
  const seconds = metrics.histogram({
    name: 'scaler_tick_seconds',
    help: 'duration of one tick of all owned rows, at the worker',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  })
  const lag = metrics.gauge({ name: 'scaler_tick_lag_seconds', help: 'how late the last tick began' })
  const rows = metrics.gauge({ name: 'scaler_watched_rows', help: 'rows that this worker watches' })
  const credited = metrics.counter({ name: 'scaler_row_ticks_total', help: 'rows credited, summed over ticks' })
  const caughtUp = metrics.counter({ name: 'scaler_caught_up_ticks_total', help: 'ticks credited late' })
  const saturated = metrics.gauge({ name: 'scaler_saturated_rows', help: 'rows whose value is at its maximum' })
  const fenced = metrics.counter({
    name: 'scaler_fenced_writes_total',
    help: 'ticks refused because the lease was replaced',
  })
  const given = metrics.counter({ name: 'scaler_handed_over_slots_total', help: 'slots given to another worker' })
  return {
    ticked(outcome, duration, late) {
      seconds.observe(duration)
      lag.set(late)
      credited.inc(outcome.rows)
      caughtUp.inc(outcome.caughtUp ?? 0)
      saturated.set(outcome.saturated)
    },
    fenced: () => fenced.inc(),
    handedOver: (slots) => given.inc(slots),
    watching: (count) => rows.set(count),
  }
}
