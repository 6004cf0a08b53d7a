import type { Problem } from '@ballast/service'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { AppendOutcome, StreamBounds } from '@ballast/state-stores/stream'
import type { DrainRate } from './drain-rate.ts'
import { problems } from './problems.ts'
import type { Writer } from './writer.ts'
import type { WriteGroup } from './write-group.ts'

export interface WritesOptions {
  readonly writer: Writer
  readonly drainRate: DrainRate
  readonly bounds: StreamBounds
  readonly maxInFlight: number
  /** Told of every refused request. */
  readonly refused: (code: string) => void
}

/** Answers for the writer: what was accepted, and every refusal as the problem it is. */
export class Writes {
  readonly #options: WritesOptions

  constructor(options: WritesOptions) {
    this.#options = options
  }

  next(): WriteGroup {
    return this.#options.writer.next()
  }

  idsAsJson(group: WriteGroup): string {
    return this.#options.writer.idsAsJson(group)
  }

  /** Returns the value of the `Durability` header once the queue holds the documents. Throws a Problem. */
  async accept(group: WriteGroup): Promise<string> {
    let outcome: AppendOutcome
    try {
      outcome = await this.#options.writer.write(group)
    } catch (error) {
      throw this.#refusal(this.#failure(error))
    }
    if (outcome.outcome === 'appended') return durabilityHeader(outcome.durability)
    if (outcome.outcome === 'too-large') throw new TypeError(`an entry was larger than ${outcome.maxBytes} bytes`)
    throw this.#refusal(
      problems.create(
        'queue-full',
        `The queue is at its bound (${outcome.bound}); try again later.`,
        this.#retryLater(),
      ),
    )
  }

  #failure(error: unknown): Problem {
    if (!(error instanceof NotAppliedError)) {
      const detail = 'It is not known whether the write was queued; a repeated request writes five further documents.'
      return problems.create('outcome-unknown', detail, { cause: error })
    }
    const headers = { 'retry-after': '1' }
    return this.#options.writer.depth >= this.#options.maxInFlight
      ? problems.create('overloaded', 'Too many requests are waiting for the queue; try again.', {
          headers,
          cause: error,
        })
      : problems.create('not-applied', 'The queue did not take the write; try again.', { headers, cause: error })
  }

  #refusal(problem: Problem): Problem {
    this.#options.refused(problem.code)
    return problem
  }

  #retryLater(): { headers: Record<string, string> } {
    return { headers: { 'retry-after': String(this.#options.drainRate.retryAfterSeconds(this.#options.bounds)) } }
  }
}

const fsynced = 'fsynced-local=?1, replicas=0'

/** A dictionary of structured fields (RFC 8941). */
export function durabilityHeader({ fsyncedLocal, replicas }: { fsyncedLocal: boolean; replicas: number }): string {
  if (fsyncedLocal && replicas === 0) return fsynced
  return `fsynced-local=?${fsyncedLocal ? 1 : 0}, replicas=${replicas}`
}
