import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { isDiskFull } from '../disk-full.ts'
import { fold, type TokenLimits } from '../fold.ts'
import { steadyNow, tokenLimits } from '../options.ts'
import type { CounterOp, CounterOutcome } from '../port.ts'
import type { CounterState } from '../state.ts'
import { CounterFiles, type Cost } from './counter-files.ts'
import type { FileEngine } from './file-store.ts'
import type { FileSystem } from './file-system.ts'
import { logPath } from './log-segment.ts'
import type { FileStoreOptions } from './options.ts'
import { readFiles, type Stored } from './read-files.ts'
import { describe, syncVisible, temporaryPath } from './replace-file.ts'

/**
 * One process changes the files; the lock is its owner's business.
 *
 * The engine is *settled* when what it has in memory is what a reader of the files sees and what a crash would leave.
 * - A commit that is refused as not applied leaves it settled.
 * - Any other failure unsettles it. Then the files are read again and written anew, which settles it, and the content
 *   tells whether the commit was applied. If this fails too, the outcome is unknown, and the next commit or check tries
 *   again first. Meanwhile readers see the last acknowledged state.
 */
export class ExclusiveEngine implements FileEngine {
  readonly #fs: FileSystem
  readonly #options: FileStoreOptions
  readonly #now: () => number
  readonly #limits: TokenLimits
  readonly #release: () => Promise<void>
  #state: CounterState
  /** Missing while unsettled. */
  #files: CounterFiles | undefined
  #commit: number
  /** The file has been there. */
  #existed: boolean

  private constructor(fs: FileSystem, options: FileStoreOptions, stored: Stored, release: () => Promise<void>) {
    this.#fs = fs
    this.#options = options
    this.#now = options.now ?? steadyNow
    this.#limits = tokenLimits(options)
    this.#release = release
    this.#state = stored.state
    this.#commit = stored.commit
    this.#existed = stored.existed
  }

  /**
   * Reads the files, or starts empty where there are none; rejects on those that cannot be read, and leaves them as they
   * are. On a full disk it serves what there is, and writes when there is room.
   */
  static async open(
    fs: FileSystem,
    options: FileStoreOptions,
    release: () => Promise<void> = async () => {},
  ): Promise<ExclusiveEngine> {
    const { path } = options
    const stored = await readFiles(fs, path)
    const engine = new ExclusiveEngine(fs, options, stored, release)
    try {
      await fs.remove(temporaryPath(path))
      engine.#files = await CounterFiles.adopt(fs, path, stored, options)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      // The process that wrote them may have died before its last fsync: show nobody what a crash could still take back.
      for (const after of stored.logs) await fs.syncFile(logPath(path, after))
      if (stored.existed) await syncVisible(fs, path)
    }
    return engine
  }

  get state(): CounterState {
    return this.#state
  }

  get settled(): boolean {
    return this.#files !== undefined
  }

  nowMs(): number {
    return this.#state.advance(this.#now())
  }

  async apply(ops: readonly CounterOp[], callers: number): Promise<readonly CounterOutcome[]> {
    const { path, observer } = this.#options
    const files =
      this.#files ??
      (await this.#settle().catch((error: unknown) => {
        // Its cause tells a full disk from others.
        throw new NotAppliedError(`${path} is in an unknown state: ${describe(error)}`, { cause: rootOf(error) })
      }))
    const folded = fold(this.#state, ops, this.nowMs(), this.#limits)
    if (folded.counters.size === 0 && folded.tokens.size === 0) return folded.outcomes
    const startedMs = performance.now()
    const cost = await this.#write(files, () => files.write(folded, callers))
    observer?.committed?.({ callers, operations: ops.length, durationMs: performance.now() - startedMs, ...cost })
    return folded.outcomes
  }

  async close(): Promise<void> {
    try {
      await this.#files?.close()
    } finally {
      await this.#release()
    }
  }

  /** Resolves when the change is durable and in memory. */
  async #write(files: CounterFiles, write: () => Promise<Cost>): Promise<Partial<Cost>> {
    const { path } = this.#options
    const commit = this.#commit + 1
    try {
      const cost = await write()
      this.#commit = commit
      this.#existed = true
      return cost
    } catch (error) {
      if (error instanceof NotAppliedError) throw error
      this.#files = undefined
      await files.stop().catch(() => {})
      await this.#settle().catch(() => {
        throw new OutcomeUnknownError(`whether ${path} was written is unknown: ${describe(error)}`, { cause: error })
      })
      if (this.#commit === commit) return {}
      throw new NotAppliedError(`${path} was not written: ${describe(error)}`, { cause: error })
    }
  }

  /** Takes over what a reader of the files sees, after it has been written anew. */
  async #settle(): Promise<CounterFiles> {
    const { path } = this.#options
    const stored = await readFiles(this.#fs, path)
    // Somebody took it away: what was acknowledged is not to be replaced by nothing.
    if (this.#existed && !stored.existed) throw new Error(`${path} is gone: put it back`)
    // And an older one is not to be taken for it.
    if (stored.commit < this.#commit) throw new Error(`${path} is older than what was acknowledged: put it back`)
    const files = await CounterFiles.adopt(this.#fs, path, stored, this.#options)
    stored.state.advance(this.nowMs())
    this.#state = stored.state
    this.#commit = stored.commit
    this.#existed = stored.existed
    this.#files = files
    return files
  }
}

const rootOf = (error: unknown): unknown => (error instanceof NotAppliedError ? error.cause : error)
