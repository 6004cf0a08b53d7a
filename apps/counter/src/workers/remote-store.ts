import type { Primary } from '@ballast/service'
import { steadyNow, troubleOf, type CounterCapabilities } from '@ballast/state-stores/counter'
import type { AttributedStore } from '../attributed-store.ts'
import { isAnswer, toError, type StoreAnswer, type StoreQuestion } from './store-questions.ts'

/** The store of another process of this service, which groups what all of its workers commit. */
export async function openRemoteStore(primary: Primary): Promise<AttributedStore> {
  /** How far the store's clock, as last told, is ahead of this process's. */
  let aheadMs = 0
  let capabilities: CounterCapabilities = { atomicity: 'counter', durable: false, clock: 'process' }
  const ask = async (question: StoreQuestion): Promise<StoreAnswer> => {
    const answer = await primary.ask(question)
    if (!isAnswer(answer)) throw new TypeError('the primary gave no answer of a store')
    aheadMs = answer.nowMs - steadyNow()
    ;({ capabilities } = answer)
    if (answer.failure !== undefined) throw toError(answer.failure)
    return answer
  }
  const found = async (question: StoreQuestion) => (await ask(question)).counters ?? []
  // With its failure, too, comes what the store can do.
  await ask({ ask: 'read', names: [] }).catch((error: unknown) => {
    if (troubleOf(error) === undefined) throw error
  })
  return {
    get capabilities() {
      return capabilities
    },
    nowMs: () => steadyNow() + aheadMs,
    commit: async (ops, by) => (await ask({ ask: 'commit', ops, by })).outcomes ?? [],
    read: (names) => found({ ask: 'read', names }),
    scan: async (options) => (await found({ ask: 'scan', options })).filter((counter) => counter !== undefined),
    check: async () => void (await ask({ ask: 'check' })),
  }
}
