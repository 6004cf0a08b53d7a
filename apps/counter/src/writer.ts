import type { CounterOp, CounterOutcome } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import type { AttributedStore } from './attributed-store.ts'
import type { BufferedAdditions } from './buffered-additions.ts'
import { operationOf, type Intent } from './counter-operation.ts'
import { refuseUndated } from './dated-keys.ts'
import { InFlight, tokensOf, type RequestKey } from './idempotency.ts'
import { problems } from './problems.ts'
import { troubleProblem } from './trouble-problem.ts'

/** The one way from HTTP into the store. */
export class Writer {
  readonly #store: AttributedStore
  readonly #buffer: BufferedAdditions | undefined
  readonly #datedKeysWithinMs: number | undefined
  readonly #inFlight = new InFlight()

  /** `datedKeysWithinMs`: how long the store keeps keys, where only those are taken that tell their age. */
  constructor(store: AttributedStore, buffer?: BufferedAdditions, datedKeysWithinMs?: number) {
    this.#store = store
    this.#buffer = buffer
    this.#datedKeysWithinMs = datedKeysWithinMs
  }

  /** What an answer is worth: it survives the process and loss of power, or only what the store survives. */
  get durability(): 'durable' | 'volatile' {
    return this.#store.capabilities.durable ? 'durable' : 'volatile'
  }

  /**
   * Resolves when the outcomes are durable; rejects with the problem that tells whether to retry. With a key the
   * intents are carried out once, however often they are sent. `by`: on whose behalf.
   */
  async write(intents: readonly Intent[], key: RequestKey | undefined, by: string): Promise<readonly CounterOutcome[]> {
    // By the store's clock, for by that one it expires.
    const nowMs = this.#store.nowMs()
    const ops = intents.map((intent) => operationOf(intent, nowMs))
    if (key === undefined) return this.#commit(ops, by)
    if (this.#datedKeysWithinMs !== undefined) refuseUndated(key.key, nowMs, this.#datedKeysWithinMs)
    return this.#inFlight.run(key, () => {
      const tokens = tokensOf(intents, key)
      return this.#commit(
        ops.map((op, index) => ({ ...op, ...(tokens[index] && { token: tokens[index] }) })),
        by,
      )
    })
  }

  async #commit(ops: readonly CounterOp[], by: string): Promise<readonly CounterOutcome[]> {
    await this.#buffer?.settle(ops.map(({ name }) => name))
    try {
      return await this.#store.commit(ops, by)
    } catch (error) {
      throw toProblem(error)
    }
  }
}

function toProblem(error: unknown): unknown {
  if (error instanceof OutcomeUnknownError) {
    const detail =
      'It may or may not be there. Repeat the request only with the Idempotency-Key it had; otherwise read the counter first.'
    return problems.create('outcome-unknown', detail, { cause: error })
  }
  if (!(error instanceof NotAppliedError)) return error
  const headers = { 'retry-after': '1' }
  return (
    troubleProblem(error) ??
    problems.create('not-applied', 'Nothing was changed. Retry as you like.', { headers, cause: error })
  )
}
