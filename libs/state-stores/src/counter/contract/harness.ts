import type { CounterStoreOptions } from '../options.ts'
import type { CounterStore } from '../port.ts'

export interface CounterHarness {
  /** Fresh and empty. */
  readonly store: CounterStore
  readonly nowMs: () => number
  /** Lets time pass for the store: a turn of its clock, or a real wait where the clock is not ours. */
  readonly pass: (durationMs: number) => Promise<void>
  /** Closes the store and opens it again on the same data; missing where nothing outlives the store. */
  readonly reopen?: () => Promise<CounterStore>
}

export type HarnessOptions = Pick<CounterStoreOptions, 'tokenWindowMs' | 'maxTokens'>

/** Opens a store for one test and closes it with the test. */
export type Start = (options?: HarnessOptions) => Promise<CounterHarness>
