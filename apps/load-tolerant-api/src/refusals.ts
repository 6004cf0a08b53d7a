import type { Problem } from '@ballast/service'
import type { AppendOutcome } from '@ballast/state-stores/stream'
import { problems } from './problems.ts'

type Bound = Extract<AppendOutcome, { outcome: 'full' }>['bound']

/** How long a queue that was full is not asked again: what would be made and sent to it is most of the cost of a request. */
const believedMs = 50

/**
 * The refusals of an overload, made to cost next to nothing when there are thousands a second: each is one object, thrown
 * again and again, because the stack trace of an error costs more than the rest of the answer; and a queue that said it is
 * full is believed for a moment.
 */
export class Refusals {
  readonly #now: () => number
  #fullUntilMs = -Infinity
  #bound: Bound = 'entries'
  #full: { readonly bound: Bound; readonly seconds: number; readonly problem: Problem } | undefined
  readonly overloaded = problems.create('overloaded', 'Too many requests are waiting for the queue; try again.', {
    headers: { 'retry-after': '1' },
  })

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The bound at which the queue was a moment ago. */
  get boundOfFullQueue(): Bound | undefined {
    return this.#now() < this.#fullUntilMs ? this.#bound : undefined
  }

  sawFull(bound: Bound): void {
    this.#bound = bound
    this.#fullUntilMs = this.#now() + believedMs
  }

  queueFull(bound: Bound, retryAfterSeconds: number): Problem {
    if (this.#full?.bound !== bound || this.#full.seconds !== retryAfterSeconds) {
      const headers = { 'retry-after': String(retryAfterSeconds) }
      const problem = problems.create('queue-full', `The queue is at its bound (${bound}); try again later.`, {
        headers,
      })
      this.#full = { bound, seconds: retryAfterSeconds, problem }
    }
    return this.#full.problem
  }
}
