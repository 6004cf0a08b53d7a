import type { CounterStore } from '@ballast/state-stores/counter'
import type { Writer } from './writer.ts'

/** What the routes work with. */
export interface CounterDeps {
  readonly store: CounterStore
  readonly writer: Writer
}
