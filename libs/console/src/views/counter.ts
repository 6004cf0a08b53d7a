import { mean, quantile, rate, total } from '../sample.ts'
import { count, decimal, duration, inMs, perSecond } from './format.ts'
import type { View } from './view.ts'

const operations = 'counter_operations_total'
const size = 'counter_commit_operations'
const sync = 'counter_commit_fsync_seconds'
const commit = 'counter_commit_seconds'

export const counterView: View = {
  title: 'counter',
  promise: 'An increment that was answered is on disk, and a retry under its key counts once.',
  figures: (now, before) => {
    const failed = total(now, 'counter_write_failures_total')
    return [
      { label: 'increments', value: perSecond(rate(now, before, operations)) },
      { label: 'in one commit', value: decimal(mean(now, before, size)) },
      { label: 'fsync', value: duration(inMs(mean(now, before, sync))) },
      { label: 'applied', value: count(total(now, operations)) },
      { label: 'replayed', value: count(total(now, 'counter_idempotency_replays_total')) },
      { label: 'refused', value: count(total(now, 'counter_refusals_total')) },
      { label: 'failed', value: count(failed), ...(failed > 0 && { tone: 'warn' as const }) },
      { label: 'waiting', value: count(total(now, 'counter_queue_depth')) },
    ]
  },
  plots: [
    {
      title: 'Operations a second',
      unit: '/s',
      lines: [
        { label: 'applied', of: (now, before) => rate(now, before, operations) },
        { label: 'replayed', of: (now, before) => rate(now, before, 'counter_idempotency_replays_total') },
        { label: 'refused', of: (now, before) => rate(now, before, 'counter_refusals_total') },
      ],
    },
    {
      title: 'Operations in one commit',
      unit: '',
      lines: [
        { label: 'mean', of: (now, before) => mean(now, before, size) },
        { label: 'p99 at most', of: (now, before) => quantile(now, before, size, 0.99) },
      ],
    },
    {
      title: 'Fsync',
      unit: 'ms',
      lines: [
        { label: 'fsync, mean', of: (now, before) => inMs(mean(now, before, sync)) },
        { label: 'whole commit, mean', of: (now, before) => inMs(mean(now, before, commit)) },
        { label: 'fsync, p99 at most', of: (now, before) => inMs(quantile(now, before, sync, 0.99)) },
      ],
    },
  ],
}
