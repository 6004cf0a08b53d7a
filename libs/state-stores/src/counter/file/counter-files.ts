import { setImmediate } from 'node:timers/promises'
import { NotAppliedError } from '../../outcome.ts'
import type { Folded } from '../fold.ts'
import type { CounterState } from '../state.ts'
import { checkpoint, encodeCheckpoint, type Checkpoint } from './checkpoint.ts'
import { SnapshotEncoder } from './encoder.ts'
import type { FileSystem } from './file-system.ts'
import { encodeRecord } from './log-record.ts'
import { LogSegment, logPath } from './log-segment.ts'
import type { FileStoreObserver } from './options.ts'
import { describe, replaceFile } from './replace-file.ts'
import type { Stored } from './read-files.ts'

export interface Sizes {
  /** A snapshot beyond this is no longer written by each commit: commits go to a log. Default: 128 KiB. */
  readonly logAtBytes?: number
  /** A commit that this many callers share goes to a log, also while the snapshot is small. Default: 8. */
  readonly logAtCallers?: number
  /** So many commits of fewer callers in a row, and a small store is one file again. Default: 256. */
  readonly calmCommits?: number
  /** A log beyond this, and beyond the size of the snapshot, is replaced by a new snapshot. Default: 8 MiB. */
  readonly compactAtBytes?: number
}

export interface Cost {
  readonly bytes: number
  readonly syncMs: number
  readonly logBytes?: number
}

interface Setting extends Required<Sizes> {
  readonly fs: FileSystem
  readonly path: string
  /** Awaited between slices of work in the background. */
  readonly pause: () => Promise<void>
  readonly onCompactionFailed: () => void
}

/**
 * The files of a store that one process owns, and their content in memory.
 *
 * While they are small there is one snapshot, and a commit replaces it: a readable file, nothing else. Beyond
 * `logAtBytes`, or when many wait, a commit is a record appended to a log: its cost does not grow with the store, and it
 * is one sync instead of two of which each writes the journal of the file system. A log that has grown
 * beyond the snapshot is closed; commits go on in the next one, while a snapshot that makes it superfluous is written
 * in the background. Until that is durable every log since the last snapshot is kept. A small store is one file again
 * when nobody is in a hurry any more, and when it is closed.
 */
export class CounterFiles {
  readonly state: CounterState
  readonly #setting: Setting
  #commit: number
  #encoder: SnapshotEncoder | undefined
  #log: LogSegment | undefined
  #snapshotBytes = 0
  /** Commits of few callers in a row. */
  #calm = 0
  /** Logs before the current one. */
  #older: number[] = []
  #compaction: Promise<void> | undefined
  #stopped = false

  private constructor(setting: Setting, state: CounterState, commit: number) {
    this.#setting = setting
    this.state = state
    this.#commit = commit
  }

  /**
   * Writes what was read anew and makes it durable: a sync of the old inode would prove nothing, because it may report
   * success for data that an earlier one failed to write ("fsyncgate", LWN 752063). Rejects with `NotAppliedError` when
   * the old files stand.
   */
  static async adopt(
    fs: FileSystem,
    path: string,
    stored: Stored,
    {
      logAtBytes = 128 * 1024,
      compactAtBytes = 8 * 1024 * 1024,
      logAtCallers = 8,
      calmCommits = 256,
      pause = async () => setImmediate(),
      observer = {},
    }: Sizes & Partial<Pick<Setting, 'pause'>> & { observer?: FileStoreObserver } = {},
  ): Promise<CounterFiles> {
    const onCompactionFailed = (): void => observer.compactionFailed?.()
    const setting = { fs, path, logAtBytes, compactAtBytes, logAtCallers, calmCommits, pause, onCompactionFailed }
    const files = new CounterFiles(setting, stored.state, stored.commit)
    files.#older = [...stored.logs]
    if (!stored.existed) return files
    // What is there must be sure before it changes its form: a log whose snapshot a crash took back could not be read.
    if (!stored.hasLog) await files.#writeCheckpoint(checkpoint(files.state, files.#commit, false))
    else if (stored.bytes <= logAtBytes) await files.#replace(files.#commit, unchanged(files.state))
    if (stored.bytes <= logAtBytes) await files.#removeLogs()
    else {
      await files.#beginLog()
      // It was the log that was big.
      if (stored.hasLog) await files.#endLog().catch(unlessStanding)
    }
    return files
  }

  get commit(): number {
    return this.#commit
  }

  /**
   * Resolves when the change is durable and in memory. Rejects with `NotAppliedError` when it is in neither; after any
   * other rejection the files must be read again.
   */
  async write(folded: Folded, callers = 1): Promise<Cost> {
    const { logAtBytes, logAtCallers, calmCommits } = this.#setting
    this.#calm = callers < logAtCallers ? this.#calm + 1 : 0
    // The first commit makes the file that a log goes on from.
    const isHurried = this.#calm === 0 && this.#commit > 0
    if (this.#log === undefined && (isHurried || this.#snapshotBytes > logAtBytes)) await this.#beginLog()
    else if (this.#calm >= calmCommits) await this.#endLog().catch(unlessStanding)
    if (this.#log === undefined) {
      const cost = await this.#replace(this.#commit + 1, folded)
      this.#commit += 1
      return cost
    }
    await this.#rotate(this.#log)
    const commit = this.#commit + 1
    const record = encodeRecord({ commit, atMs: this.state.nowMs, ...folded })
    const syncMs = await this.#log.append(record)
    this.state.merge(folded)
    this.#commit = commit
    return { bytes: record.byteLength, syncMs, logBytes: this.#log.bytes }
  }

  /** Leaves a small store as one file, if it can, and lets go of it. */
  async close(): Promise<void> {
    await this.#endLog().catch(() => {})
    await this.stop()
  }

  /** Ends what goes on in the background and lets go of the files. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#compaction
    await this.#log?.close()
  }

  async #replace(commit: number, folded: Folded): Promise<Cost> {
    const { fs, path } = this.#setting
    const encoder = (this.#encoder ??= new SnapshotEncoder(this.state))
    const prepared = encoder.prepare(commit, folded)
    const syncMs = await replaceFile(fs, path, prepared.chunks)
    encoder.accept(prepared)
    this.#snapshotBytes = prepared.byteLength
    return { bytes: prepared.byteLength, syncMs }
  }

  /** From now on a snapshot and a log: the log first, for a snapshot that misses its log is not read. */
  async #beginLog(): Promise<void> {
    const log = await this.#createLog()
    try {
      await this.#writeCheckpoint(checkpoint(this.state, this.#commit))
    } catch (error) {
      await log.close()
      if (error instanceof NotAppliedError) await this.#setting.fs.remove(log.path).catch(() => {})
      throw error
    }
    this.#log = log
    this.#encoder = undefined
    this.#older = this.#older.filter((after) => after !== log.after)
    await this.#removeLogs()
  }

  /**
   * A small store becomes one file again: the snapshot that relies on no log first. Rejects as `write` does, also with
   * `NotAppliedError`, after which the log goes on.
   */
  async #endLog(): Promise<void> {
    const log = this.#log
    if (log === undefined || this.#compaction !== undefined || !this.#isSmall()) return
    await this.#replace(this.#commit, unchanged(this.state))
    this.#log = undefined
    this.#older.push(log.after)
    await log.close()
    await this.#removeLogs()
  }

  #isSmall(): boolean {
    const { counters, tokens } = this.state
    return (counters.size + tokens.size) * bytesOfLine <= this.#setting.logAtBytes
  }

  async #createLog(): Promise<LogSegment> {
    const { fs, path } = this.#setting
    try {
      return await LogSegment.create(fs, path, this.#commit)
    } catch (error) {
      throw new NotAppliedError(`the log of ${path} could not be made: ${describe(error)}`, { cause: error })
    }
  }

  async #rotate(log: LogSegment): Promise<void> {
    if (this.#compaction !== undefined) return
    if (log.bytes <= Math.max(this.#setting.compactAtBytes, this.#snapshotBytes)) return
    // Without room for another log this one goes on; the next commit tries again.
    const next = await this.#createLog().catch(() => undefined)
    if (next === undefined) return
    this.#log = next
    this.#older.push(log.after)
    await log.close()
    const copy = checkpoint(this.state, this.#commit)
    this.#compaction = this.#compact(copy).finally(() => (this.#compaction = undefined))
  }

  /** When it fails all logs stay, and so does the way from the old snapshot; the next full log brings the next try. */
  async #compact(copy: Checkpoint): Promise<void> {
    try {
      await this.#writeCheckpoint(copy)
    } catch {
      if (!this.#stopped) this.#setting.onCompactionFailed()
      return
    }
    await this.#removeLogs()
  }

  async #writeCheckpoint(copy: Checkpoint): Promise<void> {
    const { fs, path, pause } = this.#setting
    let bytes = 0
    const chunks = encodeCheckpoint(copy, async () => {
      if (this.#stopped) throw new Error('the store is closing')
      await pause()
    })
    await replaceFile(
      fs,
      path,
      counted(chunks, (length) => (bytes += length)),
    )
    this.#snapshotBytes = bytes
  }

  /** Those that the snapshot has made superfluous; what is left of them goes with the next one. */
  async #removeLogs(): Promise<void> {
    const { fs, path } = this.#setting
    try {
      for (let after = this.#older[0]; after !== undefined; after = this.#older[0]) {
        await fs.remove(logPath(path, after))
        this.#older.shift()
      }
    } catch {
      return
    }
  }
}

/** Of a counter or token, about. */
const bytesOfLine = 100

/** The old files stand, so that one can go on with them. */
function unlessStanding(error: unknown): void {
  if (!(error instanceof NotAppliedError)) throw error
}

const unchanged = ({ lastVersion }: CounterState): Folded => ({
  outcomes: [],
  counters: new Map(),
  tokens: new Map(),
  lastVersion,
})

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (lengthBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.byteLength)
    yield chunk
  }
}
