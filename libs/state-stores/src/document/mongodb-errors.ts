import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'

/** The server said that it did not begin: not the primary, no right to do it, over its limits. */
const notBegun = new Set([13, 18, 10_107, 13_435, 11_602, 8000])
/**
 * What a server says of a document when it is itself that cannot (error_codes.yml of MongoDB): unreachable shards, time-outs, locks,
 * a change of the primary or of the chunks, the disk, a quota.
 */
const temporary = new Set([
  6, 7, 13, 24, 46, 50, 63, 64, 89, 91, 112, 133, 134, 150, 189, 202, 246, 262, 290, 314, 317, 365, 384, 8000, 9001,
  10_107, 11_600, 11_601, 11_602, 12_501, 13_388, 13_435, 13_436, 14_031,
])
const authentication = new Set([18, 8000])

export const isTemporary = (code: number): boolean => temporary.has(code)

/** What a failed call came to. */
export function classified(error: unknown, label: string): Error {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError || error instanceof RangeError) {
    return error
  }
  const message = `${label}: ${error instanceof Error ? error.message : String(error)}`
  if (error instanceof MongoServerSelectionError || neverSent(error))
    return new NotAppliedError(message, { cause: error })
  if (error instanceof MongoServerError && notBegun.has(Number(error.code))) {
    return new NotAppliedError(message, { cause: error })
  }
  return new OutcomeUnknownError(message, { cause: error })
}

/** Why a store cannot be opened, as one sentence without the password. */
export function startError(error: unknown, label: string): Error {
  const root = error instanceof MongoServerSelectionError && error.cause !== undefined ? error.cause : error
  const message = error instanceof Error ? error.message : String(error)
  const text = `${message} ${root instanceof Error ? root.message : ''}`
  if (
    (error instanceof MongoServerError && authentication.has(Number(error.code))) ||
    /authentication failed/i.test(text)
  ) {
    return new Error(`${label}: user or password of the URL are wrong`, { cause: error })
  }
  const reason = message.includes('timed out') && root instanceof Error && root !== error ? root.message : message
  return new Error(`${label}: ${reason}`, { cause: error })
}

/** No connection could be had from the pool, so nothing went out. */
function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { name } = error
  return (
    name === 'MongoPoolClearedError' ||
    name === 'MongoPoolClosedError' ||
    name === 'MongoWaitQueueTimeoutError' ||
    (error instanceof MongoNetworkError && error.message.includes('ECONNREFUSED'))
  )
}
