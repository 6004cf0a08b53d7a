import type { CounterStoreOptions } from '../options.ts'

/** What one commit cost, for metrics. */
export interface CommitReport {
  readonly callers: number
  readonly operations: number
  readonly durationMs: number
  /** Size of the file that was written; missing where the store is no file. */
  readonly bytes?: number
  /** Of the duration, the two fsyncs of the file. */
  readonly syncMs?: number
}

export interface FileStoreObserver {
  committed?(report: CommitReport): void
  lockWaited?(durationMs: number): void
}

export interface FileStoreOptions extends CounterStoreOptions {
  readonly path: string
  /** How long to wait at start for a predecessor that is about to end. Default: 1 second. */
  readonly lockTimeoutMs?: number
  /** Callers that may wait for a commit; the next one is refused as not applied. */
  readonly maxQueued?: number
  readonly observer?: FileStoreObserver
  /** What the user turns to choose another file, for the sentences that tell him to. Default: "--store". */
  readonly setting?: string
}
