/**
 * What a write can have come to. There are three answers, never two: applied (the call returned its outcomes),
 * not applied, and unknown. Whoever turns unknown into "failed, try again" doubles the effect.
 */

/** The write definitely did not happen: retrying is safe. */
export class NotAppliedError extends Error {
  override readonly name = 'NotAppliedError'
}

/** The write may or may not have happened: ask the store, or repeat it only under the same idempotency token. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
}
