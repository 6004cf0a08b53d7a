import { errors, types } from 'cassandra-driver'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'

const { unavailableException, overloaded, isBootstrapping, unauthorized, invalid, syntaxError, configError } =
  types.responseErrorCodes

/** By these a coordinator says that it did not begin. A write time-out or failure may have reached some replicas. */
const notBegun = new Set<number>([
  unavailableException,
  overloaded,
  isBootstrapping,
  unauthorized,
  invalid,
  syntaxError,
  configError,
])

/**
 * What a failed statement came to. With `FallthroughRetryPolicy` the driver goes on to another host only while the
 * request was not written to a socket, so "no host available" means that none of them got it.
 */
export function whatBecame(error: unknown, label: string): NotAppliedError | OutcomeUnknownError {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  const sentence = `${label}: ${reasonOf(error)}`
  const definite =
    error instanceof errors.NoHostAvailableError ||
    error instanceof errors.BusyConnectionError ||
    (error instanceof errors.ResponseError && notBegun.has(error.code))
  return definite
    ? new NotAppliedError(sentence, { cause: error })
    : new OutcomeUnknownError(sentence, { cause: error })
}

/** Errors of what precedes the write that makes it visible: nothing was applied, whatever the reason. */
export function notApplied(error: unknown, label: string): NotAppliedError {
  if (error instanceof NotAppliedError) return error
  if (error instanceof OutcomeUnknownError) return new NotAppliedError(error.message, { cause: error })
  return new NotAppliedError(`${label}: ${reasonOf(error)}`, { cause: error })
}

/** The driver hides the reason behind "All host(s) tried for query failed". */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.NoHostAvailableError) {
    const reasons = Object.values<unknown>(error.innerErrors ?? {}).map((inner) =>
      inner instanceof Error ? reasonOf(inner) : String(inner),
    )
    return reasons.length > 0 ? [...new Set(reasons)].join('; ') : error.message
  }
  return error instanceof Error ? error.message : String(error)
}
