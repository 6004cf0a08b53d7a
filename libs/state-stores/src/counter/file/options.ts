import type { CounterStoreOptions } from '../options.ts'
import type { Sizes } from './counter-files.ts'

/** What one commit cost, for metrics. */
export interface CommitReport {
  readonly callers: number
  readonly operations: number
  readonly durationMs: number
  /** What was written: a whole file, or a record of a log; missing where the store is no file. */
  readonly bytes?: number
  /** Of the duration, the fsyncs. */
  readonly syncMs?: number
  /** Size of the log, where there is one; beyond the size of the store it says that no snapshot could be written. */
  readonly logBytes?: number
}

export interface FileStoreObserver {
  committed?(report: CommitReport): void
  /** For the lock of the file: once at start, or with `mode=shared` for each batch, also in vain. */
  lockWaited?(this: void, durationMs: number): void
  lockHeld?(this: void, durationMs: number): void
  /** `mode=shared`: another process had claimed the file since our last commit, so that it was claimed and read anew. */
  claimLost?(this: void): void
  /** `mode=shared`: another process claimed the file while we were writing; nothing was applied, and it is tried again. */
  fenced?(this: void): void
  /** No new snapshot could be written; all logs stay, and the next full log brings the next try. */
  compactionFailed?(this: void): void
}

export interface FileStoreOptions extends CounterStoreOptions, Sizes {
  readonly path: string
  /** How long to wait at start for a predecessor that is about to end. Default: 1 second; 10 with `mode=shared`. */
  readonly lockTimeoutMs?: number | undefined
  /** Awaited between slices of background work. Default: a turn of the event loop. */
  readonly pause?: () => Promise<void>
  /** Callers that may wait for a commit; the next one is refused as not applied. */
  readonly maxQueued?: number
  readonly observer?: FileStoreObserver
  /** What the user turns to choose another file, for the sentences that tell him to. Default: "--store". */
  readonly setting?: string
}
