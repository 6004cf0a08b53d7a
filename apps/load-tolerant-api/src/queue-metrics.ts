import type { Metrics } from '@ballast/metrics'
import type { Backlog, WriteStream } from '@ballast/state-stores/stream'

/** Gauges of the queue, read at each scrape. Every process that shows them shows the same queue. */
export function observeQueue(metrics: Metrics, stream: WriteStream): void {
  const gauges: readonly (readonly [string, string, (backlog: Backlog) => number])[] = [
    ['load_tolerant_api_queue_entries', 'entries in the queue', ({ entries }) => entries],
    ['load_tolerant_api_queue_documents', 'documents in the queue', ({ documents }) => documents],
    ['load_tolerant_api_queue_bytes', 'bytes in the queue', ({ bytes }) => bytes],
    ['load_tolerant_api_queue_oldest_age_seconds', 'age of the oldest entry', ({ oldestAgeMs }) => oldestAgeMs / 1000],
    [
      'load_tolerant_api_queue_parked_entries',
      'entries that wait for a consumer of a newer release',
      ({ parkedEntries }) => parkedEntries,
    ],
    ['load_tolerant_api_dead_letters', 'documents that no store takes', ({ deadLetters }) => deadLetters],
  ]
  for (const [name, help, read] of gauges) {
    metrics.gauge({
      name,
      help,
      async collect() {
        this.set(read(await stream.backlog()))
      },
    })
  }
}
