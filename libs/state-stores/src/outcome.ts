/**
 * What a write can have come to. There are three answers, never two: applied (the call returned its outcomes),
 * not applied, and unknown. Whoever turns unknown into "failed, try again" doubles the effect.
 */

/** The write definitely did not happen: retrying is safe. */
export class NotAppliedError extends Error {
  override readonly name = 'NotAppliedError'
  /**
   * True: the store takes no write at present, whatever it is (its disk is full, it is read-only, closed or away), so a part of
   * the batch would fare no better. Said only by whoever knows it; false: perhaps one item is to blame.
   */
  readonly wholeStore: boolean

  constructor(message: string, { wholeStore = false, ...options }: NotAppliedOptions = {}) {
    super(message, options)
    this.wholeStore = wholeStore
  }
}

export interface NotAppliedOptions extends ErrorOptions {
  readonly wholeStore?: boolean
}

/** The write may or may not have happened: ask the store, or repeat it only under the same idempotency token. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError'
}
