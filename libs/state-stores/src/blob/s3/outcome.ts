import { S3ServiceException } from '@aws-sdk/client-s3'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'

/** The request never left this machine, or nobody took it. */
const neverSent =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT|certificate|without establishing a connection|Could not load credentials/i

/** 500, 502 and 504 can come from a server that did it; by 503 (SlowDown) and 4xx it says that it did not. */
const perhapsDone = new Set([500, 502, 504])

/** What a failed request came to. */
export function whatBecame(error: unknown, label: string): NotAppliedError | OutcomeUnknownError {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  const sentence = `${label}: ${reasonOf(error)}`
  const status = statusOf(error)
  const definite = status === undefined ? neverSent.test(`${codeOf(error)} ${sentence}`) : !perhapsDone.has(status)
  return definite
    ? new NotAppliedError(sentence, { cause: error })
    : new OutcomeUnknownError(sentence, { cause: error })
}

/** Errors of what precedes the request that makes it visible: nothing was applied, whatever the reason. */
export function notApplied(error: unknown, label: string): NotAppliedError {
  const became = whatBecame(error, label)
  return became instanceof NotAppliedError ? became : new NotAppliedError(became.message, { cause: became })
}

/** The status of the answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined
}

/** Answers to HEAD have no body, so that their errors are nameless. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ')
  if (!(error instanceof Error)) return String(error)
  const status = statusOf(error)
  if (status !== undefined) return `${error.name === 'Unknown' ? '' : `${error.name}, `}status ${status}`
  return error.message
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
