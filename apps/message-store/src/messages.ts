import type {
  BlobStore,
  Digest,
  EntryName,
  FailedItem,
  OpenBlob,
  PutOutcome,
  RemoveOutcome,
  SmallEntry,
} from '@ballast/state-stores/blob'
import { GroupCommit } from '@ballast/state-stores/group-commit'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { MessageMetrics } from './metrics.ts'

export interface QueueLimits {
  /** Most writes that wait for a commit. */
  readonly maxQueued: number
  /** Their bytes together. */
  readonly maxQueuedBytes: number
}

/** The name of a message. Other families of the same store have names of their own for the same bytes. */
export const nameOf = (digest: Digest): EntryName => ({ namespace: 'messages', key: digest })

/**
 * The messages of a store: small ones share commits with whoever else is waiting, large ones go alone.
 * Write errors are the store's (`NotAppliedError`, `OutcomeUnknownError`); here also for a full queue.
 */
export class Messages {
  readonly #store: BlobStore
  readonly #limits: QueueLimits
  readonly #puts: GroupCommit<SmallEntry, PutOutcome>
  readonly #removals: GroupCommit<EntryName, RemoveOutcome>
  #pendingBytes = 0

  constructor(store: BlobStore, metrics: MessageMetrics, limits: QueueLimits) {
    const { maxQueued } = limits
    this.#store = store
    this.#limits = limits
    this.#puts = new GroupCommit({
      commit: (entries) => measured(metrics, entries.length, store.putSmall(entries)),
      maxItems: 1_000,
      maxBytes: 8 * 2 ** 20,
      bytesOf: ({ bytes }) => bytes.length,
      maxQueued,
    })
    this.#removals = new GroupCommit({
      commit: (names) => measured(metrics, names.length, store.remove(names)),
      maxItems: 1_000,
      maxQueued,
    })
  }

  /** Writes waiting for a commit. */
  get depth(): number {
    return this.#puts.depth + this.#removals.depth
  }

  async put(digest: Digest, bytes: Buffer): Promise<Exclude<PutOutcome, FailedItem>> {
    if (this.#pendingBytes + bytes.length > this.#limits.maxQueuedBytes && this.#pendingBytes > 0) {
      throw new NotAppliedError(`${this.#pendingBytes} bytes are waiting to be written already; try again later`)
    }
    this.#pendingBytes += bytes.length
    try {
      const name = nameOf(digest)
      const outcome =
        bytes.length > this.#store.inlineBytes
          ? await this.#store.put({ name, digest }, [bytes])
          : await this.#puts.submit({ name, digest, bytes })
      // In stores where one item of a batch can fail alone, its error is that of its caller alone.
      if (outcome.outcome === 'failed') throw outcome.error
      return outcome
    } finally {
      this.#pendingBytes -= bytes.length
    }
  }

  /** Rejects with `DamagedBlobError`; close what you open. */
  open(digest: Digest): Promise<OpenBlob | undefined> {
    return this.#store.open(nameOf(digest))
  }

  async remove(digest: Digest): Promise<Exclude<RemoveOutcome, FailedItem>> {
    const outcome = await this.#removals.submit(nameOf(digest))
    if (typeof outcome === 'object') throw outcome.error
    return outcome
  }
}

async function measured<Outcomes>(
  metrics: MessageMetrics,
  entries: number,
  commit: Promise<Outcomes>,
): Promise<Outcomes> {
  const startedMs = performance.now()
  const outcomes = await commit
  metrics.committed(entries, performance.now() - startedMs)
  return outcomes
}
