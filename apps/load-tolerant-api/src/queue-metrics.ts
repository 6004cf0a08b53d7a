import type { Metrics } from '@ballast/metrics'
import type { Backlog, WriteStream } from '@ballast/state-stores/stream'

/** Gauges of the queue, read at each scrape. Every process that shows them shows the same queue. */
export function observeQueue(metrics: Metrics, stream: WriteStream): void {
  const gauges: readonly (readonly [string, string, (backlog: Backlog) => number])[] = [
    ['queue_entries', 'entries in the queue', ({ entries }) => entries],
    ['queue_documents', 'documents in the queue', ({ documents }) => documents],
    ['queue_bytes', 'bytes in the queue', ({ bytes }) => bytes],
    ['queue_oldest_age_seconds', 'age of the oldest entry', ({ oldestAgeMs }) => oldestAgeMs / 1000],
    ['dead_letters', 'documents that no store takes', ({ deadLetters }) => deadLetters],
  ]
  for (const [name, help, read] of gauges) {
    metrics.gauge({
      name: `load_tolerant_api_${name}`,
      help,
      async collect() {
        this.set(read(await stream.backlog()))
      },
    })
  }
}
