import { dirname } from 'node:path'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { fold, type Folded, type TokenLimits } from '../fold.ts'
import { steadyNow, tokenLimits } from '../options.ts'
import type { CounterOp, CounterOutcome } from '../port.ts'
import type { CounterState } from '../state.ts'
import { CounterFiles } from './counter-files.ts'
import { SnapshotEncoder, type Prepared } from './encoder.ts'
import { claimedTemporary, claimFile, isSame, readClaim, type Claim } from './epoch.ts'
import type { FileEngine } from './file-store.ts'
import { hasCode, type FileSystem } from './file-system.ts'
import type { CommitReport, FileStoreOptions } from './options.ts'
import { readFiles, type Stored } from './read-files.ts'
import { describe } from './replace-file.ts'

/** Resolves while this process, or whoever believes so, has the lock; the result gives it back. */
export type TakeLock = () => Promise<() => Promise<void>>

export interface SharedOptions extends FileStoreOptions {
  /** Unique to this process: letters, digits and hyphens. */
  readonly claimant: string
}

interface Content {
  readonly state: CounterState
  readonly encoder: SnapshotEncoder
  readonly commit: number
  readonly writer: string | undefined
  /** Of the file it was read from. */
  readonly identity: string | undefined
}

type Cost = Pick<CommitReport, 'bytes' | 'syncMs'>

interface Renamed {
  readonly identity: string | undefined
  readonly syncMs: number
}

/** Somebody else has the file now; nothing was applied. */
class Fenced extends Error {}

const attempts = 20

/**
 * Several processes change one file, a batch at a time under the lock. The lock makes it fair and fast; that nothing is
 * lost does not hang on it, because on a network a lock can be lost without notice, and a process can be paused and go
 * on years later: each replacement of the file is fenced (`epoch.ts`). Whoever had the file last finds his own claim and
 * goes on with what he has in memory; after anybody else it is claimed and read anew.
 */
export class SharedEngine implements FileEngine {
  readonly #fs: FileSystem
  readonly #options: SharedOptions
  readonly #lock: TakeLock
  readonly #now: () => number
  readonly #limits: TokenLimits
  #content: Content
  #claim: Claim | undefined
  #claims = 0
  #refreshing: Promise<void> | undefined
  #nextRefresh: Promise<void> | undefined
  settled = true

  private constructor(fs: FileSystem, options: SharedOptions, lock: TakeLock, content: Content) {
    this.#fs = fs
    this.#options = options
    this.#lock = lock
    this.#now = options.now ?? steadyNow
    this.#limits = tokenLimits(options)
    this.#content = content
  }

  /** A store that has outgrown one file is put back into one: every process must be able to read all of it. */
  static async open(fs: FileSystem, options: SharedOptions, lock: TakeLock): Promise<SharedEngine> {
    const release = await lock()
    try {
      const stored = await readFiles(fs, options.path)
      if (stored.hasLog) await (await CounterFiles.adopt(fs, options.path, stored, { logAtBytes: Infinity })).stop()
      // Read again by the first who asks, who also makes durable what he finds.
      return new SharedEngine(fs, options, lock, contentOf({ ...stored, identity: 'unknown' }))
    } finally {
      await release()
    }
  }

  get state(): CounterState {
    return this.#content.state
  }

  nowMs(): number {
    return this.#content.state.advance(this.#now())
  }

  async apply(ops: readonly CounterOp[], callers: number): Promise<readonly CounterOutcome[]> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const release = await this.#lock().catch((error: unknown) => {
        throw new NotAppliedError(`${this.#options.path} is in use: ${describe(error)}`, { cause: error })
      })
      try {
        return await this.#applyLocked(ops, callers)
      } catch (error) {
        if (!(error instanceof Fenced)) throw error
        this.#options.observer?.fenced?.()
        this.#claim = undefined
      } finally {
        await release()
      }
    }
    throw new NotAppliedError(`${this.#options.path} was taken over ${attempts} times; try again later`)
  }

  /**
   * Looks at the file's identity, and reads it when it is another. One look at a time; whoever comes during one shares the
   * next: the look that is under way may be older than a change which he knows of from another process.
   */
  refresh(): Promise<void> {
    const running = this.#refreshing
    if (running === undefined) return this.#look()
    const following = async (): Promise<void> => {
      this.#nextRefresh = undefined
      return this.#refreshing ?? this.#look()
    }
    return (this.#nextRefresh ??= running.then(following, following))
  }

  #look(): Promise<void> {
    const look = this.#refresh().finally(() => (this.#refreshing = undefined))
    return (this.#refreshing = look)
  }

  async close(): Promise<void> {
    if (this.#claim !== undefined) await this.#fs.remove(claimedTemporary(this.#options.path, this.#claim))
  }

  async #refresh(): Promise<void> {
    // What is there may not be durable; until it is, readers see the last acknowledged state.
    if (!this.settled) return
    if ((await this.#fs.identity(this.#options.path)) === this.#content.identity) return
    this.#take(await this.#read())
  }

  /** Not what a slow reader found before a commit of ours. */
  #take(content: Content): void {
    if (content.commit < this.#content.commit) return
    content.state.advance(this.nowMs())
    this.#content = content
  }

  /** What the file holds, and a crash would leave: the process that renamed it may have died before it synced the folder. */
  async #read(): Promise<Content> {
    const { path } = this.#options
    // A commit of ours may come while a reader reads: only what was acknowledged before has to be there.
    const { commit: acknowledged } = this.#content
    const identity = await this.#fs.identity(path)
    const stored = await readFiles(this.#fs, path)
    if (!stored.existed && acknowledged > 0) throw new Error(`${path} is gone: put it back`)
    if (stored.commit < acknowledged) throw new Error(`${path} is older than what was acknowledged: put it back`)
    if (stored.hasLog) throw new Error(`${path} has a log: a process uses it without mode=shared`)
    if (stored.existed) await this.#fs.syncFolder(dirname(path))
    return contentOf({ ...stored, identity })
  }

  async #applyLocked(ops: readonly CounterOp[], callers: number): Promise<readonly CounterOutcome[]> {
    const { path, observer } = this.#options
    const claim = await this.#claimed().catch((error: unknown) => {
      throw new NotAppliedError(`${path} cannot be used: ${describe(error)}`, { cause: error })
    })
    const folded = fold(this.#content.state, ops, this.nowMs(), this.#limits)
    if (folded.counters.size === 0 && folded.tokens.size === 0) return folded.outcomes
    const startedMs = performance.now()
    const cost = await this.#replace(claim, folded)
    const durationMs = performance.now() - startedMs
    observer?.committed?.({ callers, operations: ops.length, durationMs, ...cost })
    return folded.outcomes
  }

  /** The file is ours and in memory. */
  async #claimed(): Promise<Claim> {
    const { path, claimant } = this.#options
    if (this.#claim !== undefined && this.settled && isSame(await readClaim(this.#fs, path), this.#claim)) {
      return this.#claim
    }
    if (this.#claim !== undefined && this.settled) this.#options.observer?.claimLost?.()
    this.#claim = undefined
    const claim = await claimFile(this.#fs, path, `${claimant}-${++this.#claims}`)
    this.#take(await this.#read())
    this.#claim = claim
    if (!this.settled) {
      await this.#writeAnew(claim)
      this.settled = true
    }
    return claim
  }

  /** Resolves when the change is durable and in memory. */
  async #replace(claim: Claim, folded: Folded): Promise<Cost> {
    const { path } = this.#options
    const content = this.#content
    const prepared = content.encoder.prepare(content.commit + 1, folded, { writer: claim.claimant })
    try {
      const { identity, syncMs } = await this.#rename(claim, prepared)
      content.encoder.accept(prepared)
      this.#content = { ...content, commit: prepared.commit, writer: claim.claimant, identity }
      return { bytes: prepared.byteLength, syncMs }
    } catch (error) {
      if (error instanceof NotAppliedError || error instanceof Fenced) throw error
      this.settled = false
      const found = await this.#settle(claim).catch(() => {
        throw new OutcomeUnknownError(`whether ${path} was replaced is unknown: ${describe(error)}`, { cause: error })
      })
      if (found.commit !== prepared.commit || found.writer !== claim.claimant) {
        throw new NotAppliedError(`${path} was not replaced: ${describe(error)}`, { cause: error })
      }
      return { bytes: prepared.byteLength }
    }
  }

  /** Rejects with `NotAppliedError` or `Fenced` when the old content stands; otherwise either may. */
  async #rename(claim: Claim, { chunks }: Pick<Prepared, 'chunks'>): Promise<Renamed> {
    const { path } = this.#options
    const temporary = claimedTemporary(path, claim)
    let [identity, syncMs]: [string | undefined, number] = [undefined, 0]
    const timed = async (sync: Promise<void>): Promise<void> => {
      const startedMs = performance.now()
      await sync
      syncMs += performance.now() - startedMs
    }
    try {
      const file = await this.#fs.create(temporary)
      try {
        await file.write(chunks)
        await timed(file.sync())
      } finally {
        await file.close()
      }
      identity = await this.#fs.identity(temporary)
      // As late as can be: whoever claims after this look unlinks the temporary file.
      if (!isSame(await readClaim(this.#fs, path), claim)) throw new Fenced()
    } catch (error) {
      await this.#fs.remove(temporary).catch(() => {})
      if (error instanceof Fenced) throw error
      throw new NotAppliedError(`${path} could not be written: ${describe(error)}`, { cause: error })
    }
    try {
      await this.#fs.rename(temporary, path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw new Fenced()
      throw error
    }
    await timed(this.#fs.syncFolder(dirname(path)))
    return { identity, syncMs }
  }

  async #settle(claim: Claim): Promise<Content> {
    const found = await this.#read()
    this.#take(found)
    await this.#writeAnew(claim)
    this.settled = true
    return found
  }

  /** A sync of the same inode or name proves nothing after one that failed. */
  async #writeAnew(claim: Claim): Promise<void> {
    const { encoder, commit, state, writer } = this.#content
    const unchanged = { outcomes: [], counters: new Map(), tokens: new Map(), lastVersion: state.lastVersion }
    await this.#rename(claim, encoder.prepare(commit, unchanged, writer === undefined ? {} : { writer }))
  }
}

function contentOf({ state, commit, writer, identity }: Stored & { identity: string | undefined }): Content {
  return { state, commit, writer, identity, encoder: new SnapshotEncoder(state) }
}
