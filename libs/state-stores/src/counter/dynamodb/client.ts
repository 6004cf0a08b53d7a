import { DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import type { CallLimits } from '../server-options.ts'
import { messageOf } from '../../message-of.ts'
import type { DynamoTarget } from './url.ts'

/** Sends nothing twice: the SDK's three attempts per call are one. */
export function dynamoClient(
  { region, endpoint, credentials, ca }: DynamoTarget,
  { timeoutMs }: Pick<CallLimits, 'timeoutMs'>,
): DynamoDBClient {
  return new DynamoDBClient({
    region,
    maxAttempts: 1,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      ...(ca !== undefined && { httpsAgent: { ca, keepAlive: true, maxSockets: 50 } }),
    },
  })
}

/** What a failed call means to whoever asked for a write. */
export function asOutcome(error: unknown, name: string): Error {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  // A refusal; a fault of the server (5xx) may have come after the write.
  if (error instanceof DynamoDBServiceException && error.$fault === 'client') {
    return new NotAppliedError(`${name} refused: ${sentenceOf(error)}`, { cause: error })
  }
  if (isUntrusted(error)) {
    const what = `its certificate is not trusted: name the authority with ?ca=<file>`
    return new NotAppliedError(`${name} cannot be reached: ${what} (${sentenceOf(error)})`, { cause: error })
  }
  if (error instanceof SyntaxError) {
    return new OutcomeUnknownError(`${name} cannot be used: what answers there is no DynamoDB`, { cause: error })
  }
  if (isNeverSent(error))
    return new NotAppliedError(`${name} cannot be reached: ${sentenceOf(error)}`, { cause: error })
  return new OutcomeUnknownError(`${name} did not answer: ${sentenceOf(error)}`, { cause: error })
}

const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // The answer to our greeting was no TLS.
  'EPROTO',
])

/** Ends the handshake, before which nothing is sent. */
const isUntrusted = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  /CERT|UNABLE_TO_VERIFY|ERR_TLS_/.test(typeof error.code === 'string' ? error.code : '')

function isNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // No credentials: nothing could be signed.
  if (error.name === 'CredentialsProviderError') return true
  return 'code' in error && typeof error.code === 'string' && neverSent.has(error.code)
}

/** The SDK's time-outs carry advice on several lines. */
const sentenceOf = (error: unknown): string => {
  const [line = ''] = messageOf(error).split('\n')
  const [, timeoutMs] = /exceeded the configured (\d+) ms requestTimeout/.exec(line) ?? []
  if (timeoutMs !== undefined) return `no answer within ${timeoutMs} ms`
  const name = error instanceof Error ? error.name : 'Error'
  return name === 'Error' ? line : `${name}: ${line}`
}
