import type {
  Counter,
  CounterCapabilities,
  CounterOp,
  CounterOutcome,
  ScanOptions,
} from '@ballast/state-stores/counter'
import { StoreUnavailableError, TroubleError, troubleOf, type Trouble } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import type { AttributedStore } from '../attributed-store.ts'
import { inFlightProblem, isInFlight, type InFlight } from '../idempotency.ts'

/** What a worker asks the process that owns the store; both are the same program, so nothing is versioned. */
export type StoreQuestion =
  | { readonly ask: 'commit'; readonly ops: readonly CounterOp[]; readonly by: string }
  | { readonly ask: 'read'; readonly names: readonly string[] }
  | { readonly ask: 'scan'; readonly options: ScanOptions }
  | { readonly ask: 'check' }

export interface StoreAnswer {
  /** By the store's clock. */
  readonly nowMs: number
  readonly capabilities: CounterCapabilities
  readonly outcomes?: readonly CounterOutcome[]
  readonly counters?: readonly (Counter | undefined)[]
  readonly failure?: Failure
}

interface Failure {
  readonly kind: 'in-flight' | 'not-applied' | 'unknown' | 'unavailable' | 'other'
  readonly message: string
  readonly trouble?: Trouble | undefined
}

/**
 * Answers with a failure where the store throws: what may be retried must survive the way to the other process.
 * `inFlight`: the keys of all workers, so that two of them do not serve one request at a time.
 */
export async function answerQuestion(
  store: AttributedStore,
  question: StoreQuestion,
  inFlight: InFlight,
): Promise<StoreAnswer> {
  const answer = (rest: Partial<StoreAnswer>): StoreAnswer => ({
    nowMs: store.nowMs(),
    capabilities: store.capabilities,
    ...rest,
  })
  try {
    if (question.ask === 'commit') {
      const { ops, by } = question
      const commit = () => store.commit(ops, by)
      // The first operation's token is the request's: no two requests share it.
      const token = ops[0]?.token
      return answer({ outcomes: await (token === undefined ? commit() : inFlight.run(token, commit)) })
    }
    if (question.ask === 'read') return answer({ counters: await store.read(question.names) })
    if (question.ask === 'scan') return answer({ counters: await store.scan(question.options) })
    await store.check()
    return answer({})
  } catch (error) {
    return answer({ failure: toFailure(error) })
  }
}

export function isQuestion(value: unknown): value is StoreQuestion {
  return typeof value === 'object' && value !== null && 'ask' in value
}

export function isAnswer(value: unknown): value is StoreAnswer {
  return typeof value === 'object' && value !== null && 'nowMs' in value && 'capabilities' in value
}

function toFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const trouble = troubleOf(error)
  if (isInFlight(error)) return { kind: 'in-flight', message }
  if (error instanceof NotAppliedError) return { kind: 'not-applied', message, trouble }
  if (error instanceof OutcomeUnknownError) return { kind: 'unknown', message }
  return { kind: error instanceof StoreUnavailableError ? 'unavailable' : 'other', message, trouble }
}

export function toError({ kind, message, trouble }: Failure): Error {
  if (kind === 'in-flight') return inFlightProblem()
  const options = trouble && { cause: new TroubleError(message, trouble) }
  if (kind === 'not-applied') return new NotAppliedError(message, options)
  if (kind === 'unknown') return new OutcomeUnknownError(message)
  return kind === 'unavailable' ? new StoreUnavailableError(message, options) : new Error(message, options)
}
