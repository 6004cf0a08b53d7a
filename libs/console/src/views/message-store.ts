import { byLabel, mean, quantile, rate, total, type Sample } from '../sample.ts'
import { bytes, count, duration, inMs, percent, perSecond } from './format.ts'
import type { View } from './view.ts'

const puts = 'message_store_puts_total'
const gets = 'message_store_gets_total'
const commit = 'message_store_commit_seconds'

/** Of the reads since the process began. */
export function hitRate(now: Sample): number | undefined {
  const outcomes = byLabel(now, gets, 'outcome')
  const found = (outcomes.get('hit') ?? 0) + (outcomes.get('not-modified') ?? 0)
  const all = found + (outcomes.get('miss') ?? 0)
  return all === 0 ? undefined : found / all
}

export const messageStoreView: View = {
  title: 'message-store',
  promise: 'What was answered 201 is durable, and what is read was verified.',
  figures: (now, before) => {
    const damaged = total(now, 'message_store_integrity_failures_total')
    const quota = total(now, 'message_store_quota_bytes')
    const stored = total(now, 'message_store_stored_bytes')
    return [
      { label: 'puts', value: perSecond(rate(now, before, puts)) },
      { label: 'gets', value: perSecond(rate(now, before, gets)) },
      { label: 'stored', value: bytes(stored) },
      { label: 'entries', value: count(total(now, 'message_store_messages')) },
      { label: 'hit rate', value: percent(hitRate(now)) },
      { label: 'of the quota', value: quota > 0 ? percent(stored / quota) : 'no quota' },
      { label: 'scrubbed', value: bytes(total(now, 'message_store_scrubbed_bytes_total')) },
      { label: 'damaged', value: count(damaged), tone: damaged > 0 ? 'bad' : 'good' },
    ]
  },
  plots: [
    {
      title: 'Messages a second',
      unit: '/s',
      lines: [
        { label: 'put', of: (now, before) => rate(now, before, puts) },
        { label: 'got', of: (now, before) => rate(now, before, gets) },
      ],
    },
    {
      title: 'Commit',
      unit: 'ms',
      lines: [
        { label: 'mean', of: (now, before) => inMs(mean(now, before, commit)) },
        { label: 'p99 at most', of: (now, before) => inMs(quantile(now, before, commit, 0.99)) },
      ],
    },
    {
      title: 'Bytes a second',
      unit: 'KiB/s',
      lines: [
        { label: 'written', of: (now, before) => kib(rate(now, before, 'message_store_written_bytes_total')) },
        { label: 'read', of: (now, before) => kib(rate(now, before, 'message_store_read_bytes_total')) },
        { label: 'scrubbed', of: (now, before) => kib(rate(now, before, 'message_store_scrubbed_bytes_total')) },
      ],
    },
  ],
}

const kib = (value: number | undefined): number | undefined => (value === undefined ? undefined : value / 1024)
export const commitTime = (now: Sample, before: Sample | undefined): string => duration(inMs(mean(now, before, commit)))
