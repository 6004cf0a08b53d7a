import { GroupCommit } from '../../group-commit.ts'
import { NotAppliedError } from '../../outcome.ts'
import { checkOps } from '../check-ops.ts'
import type { Settled } from '../grouped.ts'
import { settleTogether } from '../grouped.ts'
import type { Counter, CounterOp, CounterOutcome, CounterStore, ScanOptions } from '../port.ts'
import type { CounterState } from '../state.ts'

/** Who changes the files, and what readers may see of them. */
export interface FileEngine {
  /** What is durable. */
  readonly state: CounterState
  /** False after a failure whose effect is unknown; `apply` finds out first. */
  readonly settled: boolean
  /** Unix ms; never goes backwards. */
  nowMs(): number
  /** Makes a batch durable; never called twice at a time. Rejects as `CounterStore.commit` does. */
  apply(ops: readonly CounterOp[], callers: number): Promise<readonly CounterOutcome[]>
  /** Awaited before a read, where others write too. */
  refresh?(): Promise<void>
  close(): Promise<void>
}

/**
 * Counters in files, all in memory for readers, behind a group commit. Nothing is bisected, as no single operation
 * can fail a batch: one disk fails all.
 */
export class FileStore implements CounterStore {
  readonly capabilities = { atomicity: 'batch', durable: true, clock: 'store' } as const
  readonly #engine: FileEngine
  readonly #group: GroupCommit<readonly CounterOp[], Settled>
  #closed: Promise<void> | undefined

  constructor(engine: FileEngine, maxQueued = 20_000) {
    this.#engine = engine
    this.#group = new GroupCommit<readonly CounterOp[], Settled>({
      commit: (calls) => settleTogether(calls, (ops) => engine.apply(ops, calls.length)),
      maxQueued,
    })
  }

  get depth(): number {
    return this.#group.depth
  }

  nowMs(): number {
    return this.#engine.nowMs()
  }

  async commit(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    checkOps(ops)
    const settled = await this.#group.submit(ops)
    if ('error' in settled) throw settled.error
    return settled.outcomes
  }

  async read(names: readonly string[]): Promise<readonly (Counter | undefined)[]> {
    const state = await this.#fresh()
    return names.map((name) => state.get(name))
  }

  async scan(options: ScanOptions): Promise<readonly Counter[]> {
    return (await this.#fresh()).scan(options)
  }

  async check(): Promise<void> {
    if (this.#closed !== undefined) throw new NotAppliedError('the store is closed')
    if (!this.#engine.settled) await this.commit([])
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#finish())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #fresh(): Promise<CounterState> {
    await this.#engine.refresh?.()
    this.#engine.nowMs()
    return this.#engine.state
  }

  async #finish(): Promise<void> {
    try {
      await this.#group.close()
    } finally {
      await this.#engine.close()
    }
  }
}
