import type { Metrics } from '@ballast/metrics'
import { UnreadableBlobError, type BlobStore, type BlobUsage, type Damage } from '@ballast/state-stores/blob'

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]

/** Which routes the bytes came or went by. */
export const ownFamilies = ['messages', 'cas', 'ac', 'bazel', 'lfs', 'restic', 'nx', 'ccache', 'oci'] as const
export type Family = (typeof ownFamilies)[number]

export function isFamilyOfNames(text: string): text is Family {
  return ownFamilies.some((family) => family === text)
}

export type PutResult = 'created' | 'replaced' | 'exists' | 'refused' | 'full' | 'not-applied' | 'unknown'
export type GetResult = 'hit' | 'miss' | 'not-modified' | 'damaged'
export type DeleteResult = 'removed' | 'missing' | 'full' | 'not-applied' | 'unknown'

export interface MessageMetrics {
  put(this: void, outcome: PutResult, sizeBytes: number, family?: Family): void
  got(this: void, outcome: GetResult, sizeBytes: number, family?: Family): void
  deleted(this: void, outcome: DeleteResult, family?: Family): void
  committed(this: void, entries: number, durationMs: number): void
  damaged(this: void, damage: Damage): void
  /** Reads size and queue when it is scraped. */
  watch(this: void, store: BlobStore, queue: { readonly depth: number }): void
}

export function messageMetrics(metrics: Metrics): MessageMetrics {
  const outcome = ['outcome', 'family'] as const
  const puts = metrics.counter({
    name: 'message_store_puts_total',
    help: 'Writes, by what became of them and whose they were',
    labelNames: outcome,
  })
  const gets = metrics.counter({
    name: 'message_store_gets_total',
    help: 'Reads, by what they found and whose it was',
    labelNames: outcome,
  })
  const deletes = metrics.counter({
    name: 'message_store_deletes_total',
    help: 'DELETEs, by what became of them',
    labelNames: outcome,
  })
  const written = metrics.counter({
    name: 'message_store_written_bytes_total',
    help: 'Bytes that were written under a new name, or under an old one instead of others',
  })
  const read = metrics.counter({ name: 'message_store_read_bytes_total', help: 'Bytes given out' })
  const failures = metrics.counter({
    name: 'message_store_integrity_failures_total',
    help: 'Blobs whose stored bytes were found damaged',
  })
  const commitSeconds = metrics.histogram({
    name: 'message_store_commit_seconds',
    help: 'Making one batch of small messages or deletions durable',
    buckets: seconds,
  })
  const commitEntries = metrics.histogram({
    name: 'message_store_commit_entries',
    help: 'Messages or deletions that shared one commit',
    buckets: sizes,
  })
  return {
    put: (result, sizeBytes, family = 'messages') => {
      puts.inc({ outcome: result, family })
      if (result === 'created' || result === 'replaced') written.inc(sizeBytes)
    },
    got: (result, sizeBytes, family = 'messages') => {
      gets.inc({ outcome: result, family })
      if (result === 'hit') read.inc(sizeBytes)
    },
    deleted: (result, family = 'messages') => deletes.inc({ outcome: result, family }),
    committed: (entries, durationMs) => {
      commitEntries.observe(entries)
      commitSeconds.observe(durationMs / 1000)
    },
    damaged: () => failures.inc(),
    watch: (store, queue) => {
      watchFamilies(metrics, store)
      const gauges = {
        message_store_messages: [
          'Entries stored, messages and those of all other families',
          () => store.usage()?.entries,
        ],
        message_store_stored_bytes: ['Their bytes, each counted once', () => store.usage()?.sizeBytes],
        message_store_quota_bytes: ['How many bytes may be stored', () => store.usage()?.quotaBytes],
        message_store_queue_depth: ['Writes waiting for a commit', () => queue.depth],
      } as const
      for (const [name, [help, value]] of Object.entries(gauges)) {
        // A store that does not count has no such gauge, rather than one that says 0.
        if (value() === undefined) continue
        metrics.gauge({
          name,
          help,
          collect() {
            // The other metrics are needed most while the store cannot be read.
            const current = readable(value)
            if (current === undefined) this.remove()
            else this.set(current)
          },
        })
      }
    },
  }
}

function watchFamilies(metrics: Metrics, store: BlobStore): void {
  if (store.usage() === undefined) return
  const labelNames = ['family'] as const
  metrics.gauge({
    name: 'message_store_family_entries',
    help: 'Entries of each family',
    labelNames,
    collect() {
      // One whose last entry is gone would keep its last value.
      this.reset()
      for (const [family, { entries }] of Object.entries(familiesOf(store))) this.set({ family }, entries)
    },
  })
  metrics.gauge({
    name: 'message_store_family_bytes',
    help: 'Bytes of the entries of each family; those that share bytes each count',
    labelNames,
    collect() {
      this.reset()
      for (const [family, { sizeBytes }] of Object.entries(familiesOf(store))) this.set({ family }, sizeBytes)
    },
  })
}

const familiesOf = (store: BlobStore): BlobUsage['families'] => readable(() => store.usage()?.families) ?? {}

function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableBlobError) return undefined
    throw error
  }
}
