import { isDiskFull, type CounterOp, type CounterOutcome, type CounterStore } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { operationOf, type Intent } from './counter-operation.ts'
import { InFlight, tokensOf, type RequestKey } from './idempotency.ts'
import type { CounterMetrics } from './metrics.ts'
import { problems } from './problems.ts'

/** The one way from HTTP into the store. */
export class Writer {
  readonly #store: CounterStore
  readonly #metrics: CounterMetrics
  readonly #inFlight = new InFlight()

  constructor(store: CounterStore, metrics: CounterMetrics) {
    this.#store = store
    this.#metrics = metrics
    metrics.watch(store)
  }

  /**
   * Resolves when the outcomes are durable; rejects with the problem that tells whether to retry. With a key the
   * intents are carried out once, however often they are sent.
   */
  async write(intents: readonly Intent[], key: RequestKey | undefined): Promise<readonly CounterOutcome[]> {
    // By the store's clock, for by that one it expires.
    const nowMs = this.#store.nowMs()
    const ops = intents.map((intent) => operationOf(intent, nowMs))
    if (key === undefined) return this.#commit(ops)
    return this.#inFlight.run(key, () => {
      const tokens = tokensOf(intents, key)
      return this.#commit(ops.map((op, index) => ({ ...op, ...(tokens[index] && { token: tokens[index] }) })))
    })
  }

  async #commit(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    try {
      const outcomes = await this.#store.commit(ops)
      for (const outcome of outcomes) this.#metrics.outcome(outcome)
      return outcomes
    } catch (error) {
      throw this.#toProblem(error)
    }
  }

  #toProblem(error: unknown): unknown {
    if (error instanceof OutcomeUnknownError) {
      this.#metrics.failed('unknown')
      const detail =
        'It may or may not be there. Repeat the request only with the Idempotency-Key it had; otherwise read the counter first.'
      return problems.create('outcome-unknown', detail, { cause: error })
    }
    if (!(error instanceof NotAppliedError)) return error
    this.#metrics.failed('not-applied')
    const headers = { 'retry-after': '1' }
    if (isDiskFull(error))
      return problems.create('store-full', 'Nothing was changed. Free space where the store is, then retry.', {
        headers,
        cause: error,
      })
    return problems.create('not-applied', 'Nothing was changed. Retry as you like.', { headers, cause: error })
  }
}
