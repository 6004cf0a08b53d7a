import { GroupCommit } from '../../group-commit.ts'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { checkOps } from '../check-ops.ts'
import { fold, type Folded, type TokenLimits } from '../fold.ts'
import { steadyNow, tokenLimits } from '../options.ts'
import type { Counter, CounterOp, CounterOutcome, CounterStore, ScanOptions } from '../port.ts'
import { CounterState } from '../state.ts'
import { SnapshotEncoder, type Prepared } from './encoder.ts'
import type { FileSystem } from './file-system.ts'
import type { FileStoreOptions } from './options.ts'
import { describe, replaceFile, syncVisible, temporaryPath } from './replace-file.ts'
import { decodeSnapshot, type Snapshot } from './snapshot.ts'

/** Group commit halves a batch that was not applied, to find the poison in it. Here one disk fails all, so nobody is asked again. */
type Settled = { readonly outcomes: readonly CounterOutcome[] } | { readonly error: unknown }

/**
 * Counters in one file that is replaced by every commit, all in memory for readers. It relies on being the only one
 * that touches the file; the lock is its owner's business.
 *
 * The store is *settled* when what it has in memory is what a reader of the file sees and what a crash would leave.
 * - A commit that fails before the rename leaves it settled: nothing was applied.
 * - A failure at or after the rename unsettles it. Then the file is read again and written anew as a fresh inode,
 *   because a second fsync of the same one may report success for data that never reached the disk ("fsyncgate", LWN
 *   752063). That settles it, and the content tells whether the commit was applied. If this fails too, the outcome is
 *   unknown, and the next commit or check tries again first. Meanwhile readers see the last acknowledged state.
 */
export class SnapshotStore implements CounterStore {
  readonly capabilities = { atomicity: 'batch', durable: true, clock: 'store' } as const
  readonly #fs: FileSystem
  readonly #path: string
  readonly #now: () => number
  readonly #limits: TokenLimits
  readonly #observer: NonNullable<FileStoreOptions['observer']>
  readonly #group: GroupCommit<readonly CounterOp[], Settled>
  readonly #onClose: () => Promise<void>
  #state: CounterState
  #encoder: SnapshotEncoder
  #commit: number
  #settled = true
  /** The file has been there. */
  #existed: boolean
  #closed: Promise<void> | undefined

  private constructor(
    fs: FileSystem,
    options: FileStoreOptions,
    snapshot: Snapshot & { existed: boolean },
    onClose: () => Promise<void>,
  ) {
    const { path, now = steadyNow, observer = {}, maxQueued = 20_000 } = options
    this.#fs = fs
    this.#path = path
    this.#now = now
    this.#limits = tokenLimits(options)
    this.#observer = observer
    this.#onClose = onClose
    this.#state = snapshot.state
    this.#encoder = new SnapshotEncoder(snapshot.state)
    this.#commit = snapshot.commit
    this.#existed = snapshot.existed
    this.#group = new GroupCommit({ commit: (calls) => this.#commitCalls(calls), maxQueued })
  }

  /** Reads the file, or starts empty where there is none; rejects on one that cannot be read, and leaves it as it is. */
  static async open(
    fs: FileSystem,
    options: FileStoreOptions,
    onClose: () => Promise<void> = async () => {},
  ): Promise<SnapshotStore> {
    const { path } = options
    await fs.remove(temporaryPath(path))
    const snapshot = await readSnapshot(fs, path)
    // The process that wrote it may have died before its last fsync: show nobody what a crash could still take back.
    if (snapshot.existed) await syncVisible(fs, path)
    return new SnapshotStore(fs, options, snapshot, onClose)
  }

  get depth(): number {
    return this.#group.depth
  }

  nowMs(): number {
    return this.#state.advance(this.#now())
  }

  async commit(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    checkOps(ops)
    const settled = await this.#group.submit(ops)
    if ('error' in settled) throw settled.error
    return settled.outcomes
  }

  async read(names: readonly string[]): Promise<readonly (Counter | undefined)[]> {
    this.nowMs()
    return names.map((name) => this.#state.get(name))
  }

  async scan(options: ScanOptions): Promise<readonly Counter[]> {
    this.nowMs()
    return this.#state.scan(options)
  }

  async check(): Promise<void> {
    if (this.#closed !== undefined) throw new NotAppliedError('the store is closed')
    if (!this.#settled) await this.commit([])
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#finish())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #finish(): Promise<void> {
    try {
      await this.#group.close()
    } finally {
      await this.#onClose()
    }
  }

  async #commitCalls(calls: readonly (readonly CounterOp[])[]): Promise<readonly Settled[]> {
    try {
      const ops = calls.flat()
      const outcomes = await this.#apply(ops, calls.length)
      let end = 0
      return calls.map(({ length }) => ({ outcomes: outcomes.slice(end, (end += length)) }))
    } catch (error) {
      return calls.map(() => ({ error }))
    }
  }

  async #apply(ops: readonly CounterOp[], callers: number): Promise<readonly CounterOutcome[]> {
    if (!this.#settled) {
      await this.#settle().catch((error: unknown) => {
        throw new NotAppliedError(`${this.#path} is in an unknown state: ${describe(error)}`, { cause: error })
      })
    }
    const folded = fold(this.#state, ops, this.nowMs(), this.#limits)
    if (folded.counters.size === 0 && folded.tokens.size === 0) return folded.outcomes
    const startedMs = performance.now()
    const prepared = this.#encoder.prepare(this.#commit + 1, folded)
    const syncMs = await this.#replace(prepared)
    const durationMs = performance.now() - startedMs
    this.#observer.committed?.({ callers, operations: ops.length, bytes: prepared.byteLength, durationMs, syncMs })
    return folded.outcomes
  }

  /** Resolves when the prepared content is durable and in memory. */
  async #replace(prepared: Prepared): Promise<number> {
    try {
      const syncMs = await replaceFile(this.#fs, this.#path, prepared.chunks)
      this.#encoder.accept(prepared)
      this.#commit = prepared.commit
      this.#existed = true
      return syncMs
    } catch (error) {
      if (error instanceof NotAppliedError) throw error
      this.#settled = false
      await this.#settle().catch(() => {
        throw new OutcomeUnknownError(`whether ${this.#path} was replaced is unknown: ${describe(error)}`, {
          cause: error,
        })
      })
      if (this.#commit === prepared.commit) return 0
      throw new NotAppliedError(`${this.#path} was not replaced: ${describe(error)}`, { cause: error })
    }
  }

  /** Makes what a reader of the file sees durable under a new inode and a new entry of the folder, and takes it over. */
  async #settle(): Promise<void> {
    const { state, commit, existed } = await readSnapshot(this.#fs, this.#path)
    // Somebody took it away: what was acknowledged is not to be replaced by nothing.
    if (this.#existed && !existed) throw new Error(`${this.#path} is gone: put it back`)
    const encoder = new SnapshotEncoder(state)
    const unchanged: Folded = { outcomes: [], counters: new Map(), tokens: new Map(), lastVersion: state.lastVersion }
    await replaceFile(this.#fs, this.#path, encoder.prepare(commit, unchanged).chunks)
    state.advance(this.nowMs())
    this.#state = state
    this.#encoder = encoder
    this.#commit = commit
    this.#existed = true
    this.#settled = true
  }
}

async function readSnapshot(fs: FileSystem, path: string): Promise<Snapshot & { existed: boolean }> {
  try {
    const bytes = await fs.read(path)
    if (bytes === undefined) return { state: new CounterState(), commit: 0, existed: false }
    return { ...decodeSnapshot(bytes), existed: true }
  } catch (error) {
    throw new Error(`${path} cannot be read as counters (${describe(error)})`, { cause: error })
  }
}
