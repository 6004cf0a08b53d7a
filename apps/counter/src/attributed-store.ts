import type { CounterOp, CounterOutcome, CounterStore } from '@ballast/state-stores/counter'

/** A counter store that is told who asks for a change. Commits, reads and rejects as `CounterStore` does. */
export interface AttributedStore extends Pick<CounterStore, 'capabilities' | 'nowMs' | 'read' | 'scan' | 'check'> {
  /** `by`: name of the principal. */
  commit(ops: readonly CounterOp[], by: string): Promise<readonly CounterOutcome[]>
}

/** Asks `store` for everything that `changed` does not do itself. */
export const refine = (store: AttributedStore, changed: Partial<AttributedStore>): AttributedStore => ({
  get capabilities() {
    return store.capabilities
  },
  nowMs: () => store.nowMs(),
  read: (names) => store.read(names),
  scan: (options) => store.scan(options),
  check: () => store.check(),
  commit: (ops, by) => store.commit(ops, by),
  ...changed,
})
