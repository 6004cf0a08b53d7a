import type { DocumentStore } from '@ballast/state-stores/document'
import type { WriteStream } from '@ballast/state-stores/stream'

export interface StoredWaitOptions {
  readonly documents: Pick<DocumentStore, 'get'>
  readonly stream: Pick<WriteStream, 'deadLetter'>
  /** Most requests that wait at once. */
  readonly maxWaiting: number
  readonly timeoutMs: number
  readonly pollMs?: number
}

/** `late`: neither within the time; the writes are queued all the same. */
export type StoredState = 'stored' | 'dead' | 'late'

interface Waiting {
  readonly ids: readonly string[]
  readonly deadlineMs: number
  deadCheckAtMs: number
  readonly resolve: (state: StoredState) => void
}

const waitersPerRead = 200
const deadCheckEveryMs = 1000

/**
 * Waits until the document store has documents. All who wait share one read of the store every `pollMs`, so that their
 * number costs the store next to nothing; reads spend nothing of the budget for write commands.
 */
export class StoredWait {
  readonly #options: StoredWaitOptions
  readonly #waiting = new Set<Waiting>()
  #inside = 0
  #polling = false

  constructor(options: StoredWaitOptions) {
    this.#options = options
  }

  /** Takes a place, before anything is written; false when there is none. It is given back with `leave`. */
  enter(): boolean {
    if (this.#inside >= this.#options.maxWaiting) return false
    this.#inside++
    return true
  }

  leave(): void {
    this.#inside--
  }

  /** The ids of one request that has entered. Never rejects: while the store is away nothing is stored. */
  wait(ids: readonly string[]): Promise<StoredState> {
    const { promise, resolve } = Promise.withResolvers<StoredState>()
    const nowMs = performance.now()
    const { timeoutMs } = this.#options
    this.#waiting.add({ ids, deadlineMs: nowMs + timeoutMs, deadCheckAtMs: nowMs + deadCheckEveryMs, resolve })
    if (!this.#polling) this.#poll()
    return promise
  }

  #poll(): void {
    this.#polling = true
    setTimeout(() => void this.#round(), this.#options.pollMs ?? 25)
  }

  async #round(): Promise<void> {
    await this.#look()
    if (this.#waiting.size > 0) this.#poll()
    else this.#polling = false
  }

  async #look(): Promise<void> {
    const some = [...this.#waiting].slice(0, waitersPerRead)
    // To the end of the line, so that those who wait for long do not keep the others from being looked for.
    for (const waiting of some) {
      this.#waiting.delete(waiting)
      this.#waiting.add(waiting)
    }
    const bodies = await this.#options.documents.get(some.flatMap(({ ids }) => ids)).catch(() => [])
    let next = 0
    for (const waiting of some) {
      const missing = waiting.ids.filter(() => bodies[next++] === undefined)
      const nowMs = performance.now()
      if (missing.length === 0) this.#end(waiting, 'stored')
      else if (nowMs >= waiting.deadlineMs) this.#end(waiting, 'late')
      else if (nowMs >= waiting.deadCheckAtMs) {
        waiting.deadCheckAtMs = nowMs + deadCheckEveryMs
        if (await this.#anyDead(missing)) this.#end(waiting, 'dead')
      }
    }
    const nowMs = performance.now()
    for (const waiting of this.#waiting) if (nowMs >= waiting.deadlineMs) this.#end(waiting, 'late')
  }

  async #anyDead(ids: readonly string[]): Promise<boolean> {
    const letters = await Promise.all(ids.map((id) => this.#options.stream.deadLetter(id))).catch(() => [])
    return letters.some((letter) => letter !== undefined)
  }

  #end(waiting: Waiting, state: StoredState): void {
    this.#waiting.delete(waiting)
    waiting.resolve(state)
  }
}
