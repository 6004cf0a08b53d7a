import { byLabel, mean, rate, total, type Sample } from '../sample.ts'
import { bytes, count, duration, inMs, percent, perSecond } from './format.ts'
import type { View } from './view.ts'

const accepted = 'load_tolerant_api_accepted_documents_total'
const queued = 'load_tolerant_api_queue_documents'

export const queueAgeMs = (now: Sample): number => total(now, 'load_tolerant_api_queue_oldest_age_seconds') * 1000

/** Of the reads since the process began: from the cache, stale ones included. */
export function cacheHitRate(now: Sample): number | undefined {
  const results = byLabel(now, 'load_tolerant_api_cache_reads_total', 'result')
  const hits = (results.get('hit') ?? 0) + (results.get('stale') ?? 0)
  const all = hits + (results.get('miss') ?? 0)
  return all === 0 ? undefined : hits / all
}

/** What was stored is in the state, for no process counts what another one has stored. */
export const stored = ({ state }: Sample): number | undefined =>
  typeof state['stored'] === 'number' ? state['stored'] : undefined

export const loadTolerantApiView: View = {
  title: 'load-tolerant-api',
  promise: 'An answered write is in a durable queue, and then in the store exactly once.',
  figures: (now, before) => {
    const dead = total(now, 'load_tolerant_api_dead_letters')
    const refused = rate(now, before, 'load_tolerant_api_refused_requests_total')
    return [
      { label: 'accepted', value: perSecond(rate(now, before, accepted)) },
      { label: 'queued', value: count(total(now, queued)) },
      { label: 'oldest', value: duration(queueAgeMs(now)) },
      { label: 'stored', value: count(stored(now)) },
      { label: 'queue size', value: bytes(total(now, 'load_tolerant_api_queue_bytes')) },
      { label: 'cache hits', value: percent(cacheHitRate(now)) },
      {
        label: 'shed',
        value: perSecond(refused),
        ...(refused !== undefined && refused > 0 && { tone: 'warn' as const }),
      },
      { label: 'dead letters', value: count(dead), ...(dead > 0 && { tone: 'bad' as const }) },
    ]
  },
  plots: [
    {
      title: 'Documents a second',
      unit: '/s',
      lines: [
        { label: 'accepted', of: (now, before) => rate(now, before, accepted) },
        { label: 'stored', of: (now, before) => rate(now, before, (sample) => stored(sample) ?? 0) },
      ],
    },
    { title: 'Documents in the queue', unit: '', lines: [{ label: 'queued', of: (now) => total(now, queued) }] },
    {
      title: 'Append to the queue',
      unit: 'ms',
      lines: [{ label: 'mean', of: (now, before) => inMs(mean(now, before, 'load_tolerant_api_append_seconds')) }],
    },
    {
      title: 'Requests let in',
      unit: '',
      lines: [
        { label: 'writing', of: (now) => total(now, 'load_tolerant_api_writing_requests') },
        { label: 'waiting', of: (now) => total(now, 'load_tolerant_api_waiting_requests') },
        { label: 'limit', of: (now) => total(now, 'load_tolerant_api_writing_requests_limit'), bound: true },
      ],
    },
  ],
}
