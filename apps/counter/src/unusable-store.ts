import { steadyNow } from '@ballast/state-stores/counter'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { AttributedStore } from './attributed-store.ts'

/** A store that could not be opened: every call fails with why, and nothing is touched. */
export function unusableStore(why: unknown): AttributedStore {
  const fail = async (): Promise<never> => {
    throw why
  }
  return {
    capabilities: { atomicity: 'counter', durable: false, clock: 'process' },
    nowMs: steadyNow,
    read: fail,
    scan: fail,
    check: fail,
    commit: async () => {
      throw new NotAppliedError('the store could not be opened', { cause: why })
    },
  }
}

/** The store it was given last. */
export function replaceable(first: AttributedStore): {
  store: AttributedStore
  replace: (by: AttributedStore) => void
} {
  let current = first
  const store: AttributedStore = {
    get capabilities() {
      return current.capabilities
    },
    nowMs: () => current.nowMs(),
    read: (names) => current.read(names),
    scan: (options) => current.scan(options),
    check: () => current.check(),
    commit: (ops, by) => current.commit(ops, by),
  }
  return { store, replace: (by) => void (current = by) }
}
