import type { Problem } from '@ballast/service'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { Durability, StreamBounds } from '@ballast/state-stores/stream'
import { type Admission, NotAdmittedError } from './admission/admission.ts'
import type { DrainRate } from './drain-rate.ts'
import { problems } from './problems.ts'
import type { Writer, Written } from './writer.ts'
import { Refusals } from './refusals.ts'
import type { StoredWait } from './stored-wait.ts'
import { documentsPerGroup, type WriteGroup } from './write-group.ts'

export interface Accepted {
  readonly group: WriteGroup
  /** Value of the `Durability` header. */
  readonly durability: string
  /** False: queued, and not yet stored after the longest wait. */
  readonly inTime: boolean
}

export interface WritesOptions {
  readonly writer: Writer
  readonly drainRate: DrainRate
  readonly bounds: StreamBounds
  readonly admission: Pick<Admission, 'enter' | 'leave'>
  readonly storedWait: StoredWait
  /** Told of every refused request. */
  readonly refused: (code: string) => void
}

/** Answers for the writer: what was accepted, and every refusal as the problem it is. */
export class Writes {
  readonly #options: WritesOptions
  readonly #refusals = new Refusals()

  constructor(options: WritesOptions) {
    this.#options = options
  }

  idsAsJson(group: WriteGroup): string {
    return this.#options.writer.idsAsJson(group)
  }

  /** Writes five documents; resolves once the queue holds them. Throws a Problem. */
  async accept(): Promise<Accepted> {
    const bound = this.#refusals.boundOfFullQueue
    if (bound !== undefined) throw this.#queueFull(bound)
    const { group, outcome } = await this.#write()
    if (outcome.outcome === 'appended') return { group, durability: durabilityHeader(outcome.durability), inTime: true }
    if (outcome.outcome === 'too-large') throw new TypeError(`an entry was larger than ${outcome.maxBytes} bytes`)
    this.#refusals.sawFull(outcome.bound)
    throw this.#queueFull(outcome.bound)
  }

  /** Like `accept`, and then waits for the document store. Throws a Problem. */
  async acceptAndStore(): Promise<Accepted> {
    const { storedWait, writer } = this.#options
    if (!storedWait.enter()) {
      const detail = 'Too many requests wait for the document store; nothing was written; try again.'
      throw this.#refusal(problems.create('overloaded', detail, { headers: { 'retry-after': '1' } }))
    }
    try {
      const { group, durability } = await this.accept()
      const ids = Array.from({ length: documentsPerGroup }, (_, index) => writer.id(group, index))
      const state = await storedWait.wait(ids)
      if (state === 'dead') {
        const detail = `The document store refuses a document of this write; see /api/writes/ and ${ids.join(', ')}.`
        throw this.#refusal(problems.create('write-dead', detail))
      }
      return { group, durability: `${durability}, stored=?${state === 'stored' ? 1 : 0}`, inTime: state === 'stored' }
    } finally {
      storedWait.leave()
    }
  }

  async #write(): Promise<Written> {
    const { admission, writer } = this.#options
    let enteredMs: number | undefined
    try {
      enteredMs = await admission.enter()
      return await writer.write()
    } catch (error) {
      throw this.#refusal(this.#failure(error))
    } finally {
      if (enteredMs !== undefined) admission.leave(enteredMs)
    }
  }

  #failure(error: unknown): Problem {
    const headers = { 'retry-after': '1' }
    if (error instanceof NotAdmittedError) return this.#refusals.overloaded
    if (error instanceof NotAppliedError) {
      return problems.create('not-applied', 'The queue did not take the write; try again.', { headers, cause: error })
    }
    const detail = 'It is not known whether the write was queued; a repeated request writes five further documents.'
    return problems.create('outcome-unknown', detail, { cause: error })
  }

  #refusal(problem: Problem): Problem {
    this.#options.refused(problem.code)
    return problem
  }

  #queueFull(bound: Parameters<Refusals['queueFull']>[0]): Problem {
    const { drainRate, bounds } = this.#options
    return this.#refusal(this.#refusals.queueFull(bound, drainRate.retryAfterSeconds(bounds)))
  }
}

const fsynced = 'fsynced-local=?1, replicas=0'

/** A dictionary of structured fields (RFC 8941). */
export function durabilityHeader({ fsyncedLocal, replicas, volatile }: Durability): string {
  if (fsyncedLocal && replicas === 0) return fsynced
  const reached = `fsynced-local=?${fsyncedLocal ? 1 : 0}, replicas=${replicas}`
  return volatile === true ? `${reached}, volatile=?1` : reached
}
