import type { CounterStore } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { refine, type AttributedStore } from './attributed-store.ts'
import type { CounterMetrics } from './metrics.ts'

/** Counts what becomes of operations, in the process that owns the store: exact, whatever happens to those that ask. */
export function measuredStore(store: CounterStore, metrics: CounterMetrics): AttributedStore {
  metrics.watch(store)
  return refine(store, {
    async commit(ops) {
      try {
        const outcomes = await store.commit(ops)
        for (const outcome of outcomes) metrics.outcome(outcome)
        return outcomes
      } catch (error) {
        if (error instanceof OutcomeUnknownError) metrics.failed('unknown')
        else if (error instanceof NotAppliedError) metrics.failed('not-applied')
        throw error
      }
    },
  })
}
