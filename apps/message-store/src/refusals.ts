import type { Problem } from '@ballast/service'
import { DamagedBlobError } from '@ballast/state-stores/blob'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { problems } from './problems.ts'

/** What a store's error becomes for the client; undefined when it is none of those a store announces. */
export function refusal(error: unknown): Problem | undefined {
  if (error instanceof NotAppliedError) {
    return problems.create('not-applied', 'Nothing was changed; send the request again.', {
      headers: { 'retry-after': '1' },
      cause: error,
    })
  }
  if (error instanceof OutcomeUnknownError) {
    return problems.create('outcome-unknown', 'It may have been done; sending the same request again does no harm.', {
      cause: error,
    })
  }
  if (error instanceof DamagedBlobError) {
    return problems.create('message-damaged', 'They were set aside and are not given out; send the bytes again.', {
      cause: error,
    })
  }
  return undefined
}

export const failureOf = (error: unknown): 'not-applied' | 'unknown' =>
  error instanceof NotAppliedError ? 'not-applied' : 'unknown'
