import { GroupCommit } from '../group-commit.ts'
import { NotAppliedError } from '../outcome.ts'
import { checkOps } from './check-ops.ts'
import type { FileStoreObserver } from './file/options.ts'
import type { CounterCapabilities, CounterOp, CounterOutcome, CounterStore } from './port.ts'

/** What one caller's commit came to. */
export type Settled = { readonly outcomes: readonly CounterOutcome[] } | { readonly error: unknown }

/** A server that can apply the operations of several callers at once. */
export interface CounterEngine extends Pick<CounterStore, 'nowMs' | 'read' | 'scan' | 'check' | 'close'> {
  readonly capabilities: CounterCapabilities
  /** Most operations of several callers in one commit; a single caller's larger batch goes alone. */
  readonly maxOperations: number
  /** One answer per caller, in order; never rejects. */
  commit(calls: readonly (readonly CounterOp[])[]): Promise<readonly Settled[]>
}

export interface GroupedOptions {
  readonly maxQueued?: number
  readonly observer?: FileStoreObserver
}

/**
 * Group commit in front of a server: callers who wait share a round trip. Nothing is bisected, as here no single
 * operation can fail a batch: what fails one is the server.
 */
export function groupedCounterStore(engine: CounterEngine, options: GroupedOptions = {}): CounterStore {
  const { maxQueued = 20_000, observer = {} } = options
  const group = new GroupCommit<readonly CounterOp[], Settled>({
    maxQueued,
    // The "bytes" of a batch are its operations.
    maxBytes: engine.maxOperations,
    bytesOf: (ops) => ops.length,
    async commit(calls) {
      const startedMs = performance.now()
      const settled = await engine.commit(calls)
      if (settled.some((each) => 'outcomes' in each)) {
        const operations = calls.reduce((sum, { length }) => sum + length, 0)
        observer.committed?.({ callers: calls.length, operations, durationMs: performance.now() - startedMs })
      }
      return settled
    },
  })
  let closed: Promise<void> | undefined
  const finish = async (): Promise<void> => {
    await group.close()
    await engine.close()
  }
  const close = (): Promise<void> => (closed ??= finish())
  return {
    get capabilities() {
      return engine.capabilities
    },
    get depth() {
      return group.depth
    },
    nowMs: () => engine.nowMs(),
    async commit(ops) {
      checkOps(ops)
      if (ops.length === 0 && closed === undefined) return []
      const settled = await group.submit(ops)
      if ('error' in settled) throw settled.error
      return settled.outcomes
    },
    read: (names) => engine.read(names),
    scan: (scan) => engine.scan(scan),
    async check() {
      if (closed !== undefined) throw new NotAppliedError('the store is closed')
      await engine.check()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** For a server that applies all operations in one step, or none: one result, or one error, for all callers. */
export async function settleTogether(
  calls: readonly (readonly CounterOp[])[],
  apply: (ops: readonly CounterOp[]) => Promise<readonly CounterOutcome[]>,
): Promise<readonly Settled[]> {
  try {
    const outcomes = await apply(calls.flat())
    let end = 0
    return calls.map(({ length }) => ({ outcomes: outcomes.slice(end, (end += length)) }))
  } catch (error) {
    return calls.map(() => ({ error }))
  }
}
