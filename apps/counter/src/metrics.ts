import type { Metrics } from '@ballast/metrics'
import type { CounterOutcome, FileStoreObserver } from '@ballast/state-stores/counter'

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]

export interface CounterMetrics {
  readonly observer: Required<FileStoreObserver>
  outcome(this: void, outcome: CounterOutcome): void
  failed(this: void, outcome: 'not-applied' | 'unknown'): void
  readonly auditSynced: (durationMs: number) => void
  /** Whose depth is the queue's. */
  watch(this: void, queue: { readonly depth: number }): void
}

export function counterMetrics(metrics: Metrics): CounterMetrics {
  const lockWait = metrics.histogram({
    name: 'counter_lock_wait_seconds',
    help: 'Waiting for the lock of the file: at start, or with mode=shared for each batch',
    buckets: seconds,
  })
  const lockHold = metrics.histogram({
    name: 'counter_lock_hold_seconds',
    help: 'Holding the lock of the file, observed when it is given back',
    buckets: seconds,
  })
  const claimsLost = metrics.counter({
    name: 'counter_lease_losses_total',
    help: 'mode=shared: turns before which another process had claimed the file, which was then read anew',
  })
  const fenceRejections = metrics.counter({
    name: 'counter_fence_rejections_total',
    help: 'mode=shared: commits stopped because another process claimed the file meanwhile; tried again',
  })
  const failedCompactions = metrics.counter({
    name: 'counter_failed_compactions_total',
    help: 'Snapshots that could not be written, so that logs stay',
  })
  const logBytes = metrics.gauge({ name: 'counter_log_bytes', help: 'Size of the log written to; 0 without one' })
  const commit = metrics.histogram({
    name: 'counter_commit_seconds',
    help: 'Making one batch durable',
    buckets: seconds,
  })
  const sync = metrics.histogram({
    name: 'counter_commit_fsync_seconds',
    help: 'Of that, the two fsyncs of a file or the one fdatasync of a log',
    buckets: seconds,
  })
  const auditSync = metrics.histogram({
    name: 'counter_audit_fsync_seconds',
    help: 'Writing down changes in the audit log, fdatasync included',
    buckets: seconds,
  })
  const batch = metrics.histogram({
    name: 'counter_commit_operations',
    help: 'Operations that shared one commit',
    buckets: sizes,
  })
  const bytes = metrics.gauge({
    name: 'counter_snapshot_bytes',
    help: 'Size of the snapshot written last, as a commit',
  })
  const operations = metrics.counter({ name: 'counter_operations_total', help: 'Operations applied' })
  const replays = metrics.counter({
    name: 'counter_idempotency_replays_total',
    help: 'Operations answered again instead of applied again',
  })
  const refusals = metrics.counter({
    name: 'counter_refusals_total',
    help: 'Operations refused, by reason',
    labelNames: ['reason'],
  })
  const failures = metrics.counter({
    name: 'counter_write_failures_total',
    help: 'Writes the store could not do, by what became of them',
    labelNames: ['outcome'],
  })
  return {
    observer: {
      lockWaited: (durationMs) => lockWait.observe(durationMs / 1000),
      committed: (report) => {
        commit.observe(report.durationMs / 1000)
        if (report.syncMs !== undefined) sync.observe(report.syncMs / 1000)
        batch.observe(report.operations)
        if (report.bytes === undefined) return
        if (report.logBytes === undefined) bytes.set(report.bytes)
        logBytes.set(report.logBytes ?? 0)
      },
      lockHeld: (durationMs) => lockHold.observe(durationMs / 1000),
      claimLost: () => claimsLost.inc(),
      fenced: () => fenceRejections.inc(),
      compactionFailed: () => failedCompactions.inc(),
    },
    outcome: (outcome) => {
      if (outcome.replayed) replays.inc()
      else if (outcome.ok) operations.inc()
      else refusals.inc({ reason: outcome.reason })
    },
    auditSynced: (durationMs) => auditSync.observe(durationMs / 1000),
    failed: (outcome) => failures.inc({ outcome }),
    watch: (queue) => {
      metrics.gauge({
        name: 'counter_queue_depth',
        help: 'Callers waiting for a commit',
        collect() {
          this.set(queue.depth)
        },
      })
    },
  }
}
