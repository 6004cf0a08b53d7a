import { defineProblems } from '@ballast/service'

/** Every error of this app; the table in README.md is checked against it. */
export const problems = defineProblems({
  'invalid-name': { status: 400, title: 'This is no name of a counter' },
  'contradicting-bounds': { status: 400, title: 'The bounds exclude each other' },
  'invalid-number': { status: 400, title: 'The number is no whole number of 64 bits' },
  'invalid-idempotency-key': { status: 400, title: 'The Idempotency-Key cannot be used' },
  'invalid-precondition': { status: 400, title: 'The precondition cannot be checked' },
  'counter-not-found': { status: 404, title: 'There is no such counter' },
  'bound-reached': { status: 409, title: 'The addition would cross a bound' },
  'idempotency-key-in-flight': { status: 409, title: 'A request with this Idempotency-Key is being served' },
  'version-mismatch': { status: 412, title: 'The counter has another version' },
  'counter-overflow': { status: 422, title: 'The result does not fit 64 bits' },
  'idempotency-key-expired': { status: 422, title: 'Whether this Idempotency-Key was used is not known any more' },
  'idempotency-key-reused': { status: 422, title: 'This Idempotency-Key was used for another request' },
  'token-window-full': { status: 429, title: 'No further Idempotency-Key can be remembered now' },
  'not-applied': { status: 503, title: 'The write was not applied' },
  'too-many-streams': { status: 503, title: 'No further stream is taken now' },
  'store-damaged': { status: 503, title: 'The data of the store is damaged' },
  'store-read-only': { status: 503, title: 'The store cannot be written' },
  'store-unavailable': { status: 503, title: 'The store cannot be read now' },
  'outcome-unknown': { status: 504, title: 'Whether the write was applied is unknown' },
  'store-full': { status: 507, title: 'The write was not applied: the disk is full' },
})

export type ProblemCode = keyof typeof problems.types
