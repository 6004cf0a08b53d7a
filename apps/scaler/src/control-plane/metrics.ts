import type { PlanStats } from '@ballast/hashing'
import type { Metrics } from '@ballast/metrics'
import type { MemberState } from '@ballast/state-stores/work-item'

export interface Observation {
  readonly members: readonly MemberState[]
  readonly rows: number
  readonly maxOverMean: number
  readonly unownedSlots: number
  readonly errorRows: number
  readonly paused?: boolean
}

export interface ControlMetrics {
  observe(observation: Observation): void
  planned(stats: PlanStats): void
  tookOver(unownedMs: number): void
}

/** Numbers of the leader; a control plane that follows leaves them as they were, `scaler_leader` tells which to believe. */
export function controlMetrics(metrics: Metrics, leads: () => boolean): ControlMetrics {
  metrics.gauge({
    name: 'scaler_leader',
    help: '1 while this control plane leads',
    collect() {
      this.set(leads() ? 1 : 0)
    },
  })
  const workers = metrics.gauge({ name: 'scaler_workers', help: 'workers by state', labelNames: ['state'] })
  const rows = metrics.gauge({ name: 'scaler_rows', help: 'rows in the table' })
  const errorRows = metrics.gauge({ name: 'scaler_error_rows', help: 'rows without a value, which cannot be ticked' })
  const balance = metrics.gauge({
    name: 'scaler_max_over_mean',
    help: 'largest load over its fair share; 1 is perfect',
  })
  const unowned = metrics.gauge({ name: 'scaler_unowned_slots', help: 'slots without a live owner' })
  const window = metrics.gauge({
    name: 'scaler_unowned_seconds',
    help: 'longest time that slots went without an owner',
  })
  const movedRows = metrics.counter({ name: 'scaler_moved_rows_total', help: 'rows that plans gave to another worker' })
  const movedSlots = metrics.counter({
    name: 'scaler_moved_slots_total',
    help: 'slots that plans gave to another worker',
  })
  const paused = metrics.gauge({ name: 'scaler_paused', help: '1 while all is paused' })
  let longestMs = 0
  return {
    observe({ members, ...seen }) {
      const alive = members.filter((member) => member.alive)
      workers.set({ state: 'ready' }, alive.filter(({ draining }) => !draining).length)
      workers.set({ state: 'draining' }, alive.filter(({ draining }) => draining).length)
      rows.set(seen.rows)
      errorRows.set(seen.errorRows)
      balance.set(seen.maxOverMean)
      unowned.set(seen.unownedSlots)
      paused.set(seen.paused === true ? 1 : 0)
    },
    planned(stats) {
      movedRows.inc(stats.movedRows)
      movedSlots.inc(stats.movedSlots)
    },
    tookOver(unownedMs) {
      longestMs = Math.max(longestMs, unownedMs)
      window.set(longestMs / 1000)
    },
  }
}
