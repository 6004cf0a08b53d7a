import type { CounterStore } from '@ballast/state-stores/counter'
import type { AttributedStore } from './attributed-store.ts'
import { problems } from './problems.ts'
import { troubleProblem } from './trouble-problem.ts'

/** What routes see of a store: writes go through the `Writer`. */
export type ReadableStore = Pick<CounterStore, 'capabilities' | 'read' | 'scan'>

/** Reads whose failure is the problem `store-unavailable`. */
export const readableStore = (store: AttributedStore): ReadableStore => ({
  get capabilities() {
    return store.capabilities
  },
  read: (names) => answer(store.read(names)),
  scan: (options) => answer(store.scan(options)),
})

async function answer<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    const headers = { 'retry-after': '1' }
    const otherwise = problems.create('store-unavailable', 'Nothing is lost by it. Retry in a moment.', {
      headers,
      cause,
    })
    throw troubleProblem(cause) ?? otherwise
  }
}
