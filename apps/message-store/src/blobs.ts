import {
  beginningOf,
  type BlobSource,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type EntryName,
  type FailedItem,
  type NewEntry,
  type OpenBlob,
  type PutOutcome,
  type RemoveOutcome,
  type ScanPage,
  type SmallEntry,
} from '@ballast/state-stores/blob'
import { GroupCommit } from '@ballast/state-stores/group-commit'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { MessageMetrics } from './metrics.ts'
import { unreadable } from './refusals.ts'

export interface QueueLimits {
  /** Most writes that wait for a commit. */
  readonly maxQueued: number
  /** Their bytes together. */
  readonly maxQueuedBytes: number
}

export type Put = Exclude<PutOutcome, FailedItem>

/**
 * The bytes of all families: small ones share commits with whoever else is waiting, large ones go alone.
 * Write errors are the store's (`NotAppliedError`, `OutcomeUnknownError`); here also for a full queue. What cannot be
 * read is a Problem.
 */
export class Blobs {
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

  /** What is not larger shares commits with others. */
  get inlineBytes(): number {
    return this.#store.inlineBytes
  }

  /** The longest key that the store takes, in bytes. */
  get longestKeyBytes(): number {
    return this.#store.capabilities.lacks['long-keys'] === undefined ? 1024 : 200
  }

  async put(entry: NewEntry, bytes: Buffer): Promise<Put> {
    if (this.#pendingBytes + bytes.length > this.#limits.maxQueuedBytes && this.#pendingBytes > 0) {
      throw new NotAppliedError(`${this.#pendingBytes} bytes are waiting to be written already; try again later`)
    }
    this.#pendingBytes += bytes.length
    try {
      return alone(
        bytes.length > this.#store.inlineBytes
          ? await this.#store.put(entry, [bytes])
          : await this.#puts.submit({ ...entry, bytes }),
      )
    } finally {
      this.#pendingBytes -= bytes.length
    }
  }

  /** Any size; nothing is visible before all of it has arrived and is durable. Rejects with an error of the source. */
  async putStream(entry: NewEntry, source: BlobSource): Promise<Put> {
    const { bytes, rest } = await beginningOf(source, this.#store.inlineBytes, undefined)
    if (rest === undefined) return this.put(entry, bytes)
    const { release } = source
    const whole = { [Symbol.asyncIterator]: () => continued(bytes, rest), ...(release && { release }) }
    return alone(await this.#store.put(entry, whole))
  }

  /** Rejects with `DamagedBlobError`; close what you open. */
  open(name: EntryName, range?: ByteRange): Promise<OpenBlob | undefined> {
    return reading(this.#store.open(name, range))
  }

  /** See `BlobStore.peek`; undefined, too, when something is wrong, which `open` then tells. */
  peek(name: EntryName): Buffer | undefined {
    try {
      return this.#store.peek?.(name)
    } catch {
      return undefined
    }
  }

  stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    return reading(this.#store.stat(names))
  }

  async remove(name: EntryName): Promise<Exclude<RemoveOutcome, FailedItem>> {
    const outcome = await this.#removals.submit(name)
    if (typeof outcome === 'object') throw outcome.error
    return outcome
  }

  scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    return reading(this.#store.scan(namespace, after, limit))
  }
}

/** In stores where one item of a batch can fail alone, its error is that of its caller alone. */
function alone(outcome: PutOutcome): Put {
  if (outcome.outcome === 'failed') throw outcome.error
  return outcome
}

async function reading<Result>(read: Promise<Result>): Promise<Result> {
  try {
    return await read
  } catch (error) {
    throw unreadable(error) ?? error
  }
}

async function* continued(beginning: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield beginning
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
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
