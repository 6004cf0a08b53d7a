import { NotAppliedError } from './outcome.ts'

export interface GroupCommitOptions<Item, Outcome> {
  /**
   * Applies a batch in one durable step and returns one outcome per item, in order. It rejects with
   * `NotAppliedError` when nothing of the batch was applied; any other rejection means: unknown.
   */
  commit(items: readonly Item[]): Promise<readonly Outcome[]>
  /** Most items in one commit. */
  maxItems?: number
  /** Most bytes in one commit, measured by `bytesOf`; a single larger item still goes alone. */
  maxBytes?: number
  bytesOf?(item: Item): number
  /** Most callers waiting; the next one is refused with `NotAppliedError`. */
  maxQueued?: number
}

interface Waiting<Item, Outcome> {
  readonly item: Item
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/**
 * One commit for whoever is waiting (LevelDB's BuildBatchGroup, PostgreSQL's group commit).
 *
 * The window is zero: the next batch is what queued up while the current one was being made durable, so a lone
 * caller pays no delay and 64 callers share one fsync. Strictly first in, first out; one commit at a time.
 *
 * An abort removes only a caller that is not yet in a batch. Once the commit has begun his item may be applied,
 * so the abort is ignored and he gets his real outcome.
 */
export class GroupCommit<Item, Outcome> implements AsyncDisposable {
  readonly #options: Required<GroupCommitOptions<Item, Outcome>>
  // Not a Set, whose former tables keep thousands of callers alive after they are answered, until the next full collection.
  #queue: Waiting<Item, Outcome>[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: GroupCommitOptions<Item, Outcome>) {
    this.#options = { maxItems: 10_000, maxBytes: Infinity, bytesOf: () => 0, maxQueued: Infinity, ...options }
  }

  /** Callers waiting for a batch, those in the running commit not counted. */
  get depth(): number {
    return this.#queue.length
  }

  /** Resolves with the item's own outcome once the batch that holds it is durable. */
  submit(item: Item, { signal }: { signal?: AbortSignal } = {}): Promise<Outcome> {
    signal?.throwIfAborted()
    if (this.#closed) return Promise.reject(new NotAppliedError('the store is closing'))
    if (this.#queue.length >= this.#options.maxQueued) {
      return Promise.reject(
        new NotAppliedError(`${this.#options.maxQueued} writes are waiting already; try again later`),
      )
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting<Item, Outcome> = { item, resolve, reject }
      if (signal !== undefined) this.#abortable(waiting, signal)
      else this.#queue.push(waiting)
      this.#running ??= this.#run()
    })
  }

  /** Refuses new callers and resolves when every accepted one has his outcome. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #abortable({ item, resolve, reject }: Waiting<Item, Outcome>, signal: AbortSignal): void {
    const abort = (): void => {
      const index = this.#queue.indexOf(waiting)
      if (index < 0) return
      this.#queue.splice(index, 1)
      reject(signal.reason)
    }
    const waiting: Waiting<Item, Outcome> = {
      item,
      resolve: (outcome) => (signal.removeEventListener('abort', abort), resolve(outcome)),
      reject: (error) => (signal.removeEventListener('abort', abort), reject(error)),
    }
    this.#queue.push(waiting)
    signal.addEventListener('abort', abort, { once: true })
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue lets callers of the same tick share even the first commit.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#commit(this.#take())
    this.#running = undefined
  }

  #take(): readonly Waiting<Item, Outcome>[] {
    const { maxItems, maxBytes, bytesOf } = this.#options
    let [count, bytes] = [0, 0]
    for (const { item } of this.#queue) {
      bytes += bytesOf(item)
      if (count > 0 && (count >= maxItems || bytes > maxBytes)) break
      count++
    }
    const batch = this.#queue
    this.#queue = batch.splice(count)
    return batch
  }

  async #commit(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.#options.commit(batch.map(({ item }) => item))
      if (outcomes.length !== batch.length) {
        throw new TypeError(`commit returned ${outcomes.length} outcomes for ${batch.length} items`)
      }
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as Outcome)
    } catch (error) {
      if (error instanceof NotAppliedError && !error.wholeStore && batch.length > 1) return this.#bisect(batch)
      for (const { reject } of batch) reject(error)
    }
  }

  /**
   * One poisonous item must not fail its neighbours: halve until it stands alone. Order is kept. Up to 2n - 1 commits, which
   * is why it is not done when the whole store takes nothing: on a full disk everyone would wait for all of them.
   */
  async #bisect(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    const middle = batch.length >> 1
    await this.#commit(batch.slice(0, middle))
    await this.#commit(batch.slice(middle))
  }
}
