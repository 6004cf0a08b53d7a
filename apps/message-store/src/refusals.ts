import type { Problem } from '@ballast/service'
import { DamagedBlobError, diskTroubleOf, UnreadableBlobError } from '@ballast/state-stores/blob'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { problems } from './problems.ts'

/** What a store's error becomes for the client; undefined when it is none of those a store announces. */
export function refusal(error: unknown): Problem | undefined {
  if (error instanceof NotAppliedError) return notApplied(error)
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

/** The same for one who deletes: to send him away for room by telling him to delete something would be of no help. */
export function refusedRemoval(error: unknown): Problem | undefined {
  if (!(error instanceof NotAppliedError) || diskTroubleOf(error) !== 'full') return refusal(error)
  const advice = 'A deletion is written before anything goes, so make room on its disk, or get a larger one.'
  return problems.create('store-full', `Nothing was deleted, and reads go on. ${advice}`, { cause: error })
}

/** The same for one who only reads, and whose bytes may be whole: there was nothing that could have been applied. */
export function unreadable(error: unknown): Problem | undefined {
  const announced = [UnreadableBlobError, NotAppliedError, OutcomeUnknownError].some((type) => error instanceof type)
  if (!announced) return undefined
  return problems.create('store-unavailable', 'Its disk or its server fails; retry. If it lasts, /readyz says why.', {
    headers: { 'retry-after': '5' },
    cause: error,
  })
}

export function storeFull(cause?: unknown): Problem {
  const advice = 'Delete something, or raise the quota (--quota-bytes) or the size of the disk.'
  return problems.create('store-full', `Nothing was changed, and reads go on. ${advice}`, { cause })
}

export const failureOf = (error: unknown): 'full' | 'not-applied' | 'unknown' => {
  if (!(error instanceof NotAppliedError)) return 'unknown'
  return diskTroubleOf(error) === 'full' ? 'full' : 'not-applied'
}

function notApplied(error: NotAppliedError): Problem {
  const trouble = diskTroubleOf(error)
  if (trouble === 'full') return storeFull(error)
  if (trouble === 'read-only') {
    const detail = 'Nothing was changed, and reads go on. Let it be written where the store is, then retry.'
    return problems.create('store-read-only', detail, { headers: { 'retry-after': '5' }, cause: error })
  }
  return problems.create('not-applied', 'Nothing was changed; send the request again.', {
    headers: { 'retry-after': '1' },
    cause: error,
  })
}
