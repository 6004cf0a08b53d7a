import { resolve } from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import { open, type Database, type RootDatabase } from 'lmdb'
import { prepareLmdbFolder, syncFolder } from './lmdb-folder.ts'
import { NotAppliedError, OutcomeUnknownError } from './outcome.ts'

export interface LmdbOptions {
  /** Folder of `data.mdb` and `lock.mdb`; created when missing. */
  path: string
  /**
   * Address space reserved for the data; sparse, no memory and no disk. It is no limit: lmdb grows its map when the
   * data outgrows it, and that remap is what a generous fixed size avoids. Limit the data by a quota of your own.
   */
  mapSizeBytes?: number
  /**
   * Why it cannot be written: then it is opened for reading alone, and nothing of the folder is touched. `transact` rejects
   * with a `NotAppliedError` that has it as its cause, `check` throws it. Nothing is created, so all must be there.
   */
  readOnlyBecause?: Error
  readerCheckIntervalMs?: number
  /** A transaction that takes longer is given up, see `transact`, and `check()` fails until it came back. */
  commitTimeoutMs?: number
  /** The magic number of the file system that holds a folder; injected by tests. */
  fileSystemType?: (path: string) => Promise<number>
}

export interface LmdbRange {
  /** First key, inclusive. */
  start?: Uint8Array
  /** Last key, exclusive. */
  end?: Uint8Array
  limit?: number
  reverse?: boolean
}

/** Keys (1 to 1978 bytes) in byte order; keys and values are raw bytes, values are copies the caller may keep. */
export interface LmdbTable {
  get(key: Uint8Array): Buffer | undefined
  /** Only inside `transact`; copies. */
  put(key: Uint8Array, value: Uint8Array): void
  /** Only inside `transact`. */
  remove(key: Uint8Array): void
  /** One snapshot; don't await inside the loop, and don't write while it runs. */
  range(range?: LmdbRange): Iterable<{ key: Buffer; value: Buffer }>
}

/**
 * One LMDB folder, shared by any number of local processes.
 *
 * Two properties of lmdb 3.5 that everyone trips over are settled here and held by tests:
 * - **Stale reads.** lmdb keeps its read snapshot until the next turn of the event loop, so a read may miss what
 *   another process was already acknowledged (74-92 of 4000 cross reads). Call `refresh()` before a read that must
 *   see other processes' commits: about 0.5 us. Inside `transact` reads are always current.
 * - **Early acknowledgement.** By default a promise means "visible", not "durable". `overlappingSync: false` makes
 *   each commit fdatasync and then write its meta page synchronously before it resolves.
 *
 * An open that fails inside lmdb 3.5.6 kills the process (its environment is freed twice), so everything that can
 * fail is looked at before.
 */
export interface LmdbEnvironment extends AsyncDisposable {
  readonly path: string
  /** A named table; the same name gives the same table. */
  table(name: string): LmdbTable
  /**
   * Runs `write` (synchronous, short) inside the one write transaction and resolves with its result once the commit is
   * durable. Callers of the same moment share a commit; each is rolled back alone when its `write` throws, and gets
   * that error. `NotAppliedError`: the commit failed (disk full or failing) and left no trace, or `write` had not begun
   * by the deadline and never will; all of these say `wholeStore`. `OutcomeUnknownError`: `write` ran, and what it did may or may not be there. After
   * the write of a meta page failed, that is so for this one, and all later ones are not applied: see `check`.
   */
  transact<Result>(write: () => Result): Promise<Result>
  /** Reads from here on see every commit, of any process, that was acknowledged before this call. */
  refresh(): void
  /** Removes reader slots of dead processes, which would keep old pages from being used again. Returns how many. */
  checkReaders(): number
  /** Throws one sentence when the environment can no longer commit. */
  check(): void
  /** Refuses new transactions, waits for running ones. */
  close(): Promise<void>
}

/** Opens or creates the folder. Every refusal is one sentence that names the path; nothing is overwritten. */
export async function openLmdb(options: LmdbOptions): Promise<LmdbEnvironment> {
  const path = resolve(options.path)
  const readOnly = options.readOnlyBecause !== undefined
  await prepareLmdbFolder(path, readOnly, options.fileSystemType)
  const root = open({
    path,
    readOnly,
    // Without it a folder whose name has a dot becomes a file.
    noSubdir: false,
    mapSize: options.mapSizeBytes ?? 64 * 2 ** 30,
    maxDbs: 16,
    maxReaders: 1022,
    overlappingSync: false,
    // Otherwise a failed commit also rejects a promise that nobody holds, which ends the process.
    eventTurnBatching: false,
    cache: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  })
  // lmdb syncs its files, but not the folder entries by which they are found after a power cut.
  if (!readOnly) await syncFolder(path)
  return new Environment(path, root, options)
}

class Environment implements LmdbEnvironment {
  readonly path: string
  readonly #root: RootDatabase<Buffer>
  readonly #tables = new Map<string, LmdbTable>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #readerCheck: NodeJS.Timeout
  readonly #commitTimeoutMs: number
  readonly #readOnlyBecause: Error | undefined
  #failure: Error | undefined
  /** lmdb refuses everything after the write of a meta page failed; only another process can open the folder again. */
  #panic: Error | undefined
  #closed: Promise<void> | undefined

  constructor(path: string, root: RootDatabase<Buffer>, options: LmdbOptions) {
    this.path = path
    this.#root = root
    this.#commitTimeoutMs = options.commitTimeoutMs ?? 30_000
    this.#readOnlyBecause = options.readOnlyBecause
    root.readerCheck()
    this.#readerCheck = setInterval(() => root.readerCheck(), options.readerCheckIntervalMs ?? 60_000).unref()
  }

  table(name: string): LmdbTable {
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    // Not what its types say: a missing one is undefined where it cannot be created.
    const database: Database<Buffer> | undefined = this.#root.openDB<Buffer>(name, {
      encoding: 'binary',
      keyEncoding: 'binary',
    })
    if (database === undefined) throw new Error(`${this.path} has no "${name}" yet, and cannot be written`)
    const table = asTable(database)
    this.#tables.set(name, table)
    return table
  }

  async transact<Result>(write: () => Result): Promise<Result> {
    if (this.#closed !== undefined) throw new NotAppliedError(`${this.path} is closed`, { wholeStore: true })
    const failure = this.#panic ?? this.#failure ?? this.#readOnlyBecause
    if (failure !== undefined) throw new NotAppliedError(failure.message, { cause: failure, wholeStore: true })
    let transactionId: number | undefined
    let abandoned = false
    // A child transaction: a plain one keeps what was put before the callback threw.
    const commit = this.#root.childTransaction(() => {
      // lmdb cannot take a waiting callback back. Its caller was told that nothing is written, and may have put
      // something else into the memory that `write` reads.
      if (abandoned) throw new NotAppliedError('given up before it began')
      transactionId = this.#root.getWriteTxnId()
      return write()
    })
    this.#running.add(commit)
    try {
      return await this.#withinDeadline(commit, (sentence) => {
        if (transactionId !== undefined) return new OutcomeUnknownError(sentence)
        abandoned = true
        return new NotAppliedError(sentence, { wholeStore: true })
      })
    } catch (error) {
      throw await this.#explain(error, transactionId)
    } finally {
      this.#running.delete(commit)
    }
  }

  refresh(): void {
    this.#root.resetReadTxn()
  }

  checkReaders(): number {
    return this.#root.readerCheck()
  }

  check(): void {
    const failure = this.#panic ?? this.#failure ?? this.#readOnlyBecause
    if (failure !== undefined) throw failure
    if (this.#closed !== undefined) throw new Error(`${this.path} is closed`)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    clearInterval(this.#readerCheck)
    await Promise.allSettled(this.#running)
    // A commit that never came back holds lmdb's lock for good; closing would wait for it.
    if (this.#panic === undefined && this.#failure === undefined) await this.#root.close()
  }

  /**
   * lmdb never settles a commit that could not begin (after a failed meta page write, for one), nor one that waits for
   * another process that was stopped inside a transaction; the latter comes back when that one goes on.
   */
  #withinDeadline<Result>(commit: Promise<Result>, giveUp: (sentence: string) => Error): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const failure = new Error(`${this.path} did not commit within ${this.#commitTimeoutMs} ms; restart the process`)
        this.#failure = failure
        this.#running.delete(commit)
        reject(giveUp(failure.message))
      }, this.#commitTimeoutMs)
      commit.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        this.#failure = undefined
      })
    })
  }

  #panicOf(cause: unknown): Error {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new Error(`${this.path} failed while it was written (${reason}); look at the disk and restart the process`)
  }

  /** A failed commit is one whose transaction id the file does not show; with other writers about, it stays unknown. */
  async #explain(error: unknown, transactionId: number | undefined): Promise<unknown> {
    if (!isCommitFailure(error)) {
      if (isPanic(error)) this.#panic ??= this.#panicOf(error)
      if (this.#panic === undefined) return error
      return new NotAppliedError(this.#panic.message, { cause: error, wholeStore: true })
    }
    const cause = await reasonOf(error.commitError)
    const sentence = `${this.path} could not be written: ${cause instanceof Error ? cause.message : error.message}; is the disk full?`
    let stats: unknown
    try {
      this.refresh()
      stats = this.#root.getStats()
    } catch (panic) {
      if (!isPanic(panic)) throw panic
      // The meta page that makes it visible may or may not have reached the disk.
      this.#panic ??= this.#panicOf(cause)
      return new OutcomeUnknownError(sentence, { cause })
    }
    const last = isStats(stats) ? stats.lastTxnId : Infinity
    if (transactionId === undefined || last < transactionId)
      return new NotAppliedError(sentence, { cause, wholeStore: true })
    return new OutcomeUnknownError(sentence, { cause })
  }
}

function isPanic(error: unknown): boolean {
  return error instanceof Error && error.message.includes('MDB_PANIC')
}

/** lmdb rejects the reason a moment after the commit, if at all. */
async function reasonOf(commitError: Promise<never>): Promise<unknown> {
  try {
    return await Promise.race([commitError, immediate()])
  } catch (reason) {
    return reason
  }
}

function isCommitFailure(error: unknown): error is Error & { commitError: Promise<never> } {
  return error instanceof Error && 'commitError' in error && error.commitError instanceof Promise
}

function isStats(stats: unknown): stats is { lastTxnId: number } {
  return typeof stats === 'object' && stats !== null && 'lastTxnId' in stats && typeof stats.lastTxnId === 'number'
}

function asTable(database: Database<Buffer>): LmdbTable {
  return {
    get: (key) => database.getBinary(key),
    put: (key, value) => void database.put(key, Buffer.from(value.buffer, value.byteOffset, value.byteLength)),
    remove: (key) => void database.remove(key),
    *range(range = {}) {
      for (const { key, value } of database.getRange({ ...range, snapshot: true })) {
        if (Buffer.isBuffer(key)) yield { key, value }
      }
    },
  }
}
