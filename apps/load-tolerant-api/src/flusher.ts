import { setTimeout as delay } from 'node:timers/promises'
import type { Document, DocumentStore, InsertOutcome } from '@ballast/state-stores/document'
import { type Claimed, defaultBounds, type Incarnation, type WriteStream } from '@ballast/state-stores/stream'
import { type Batch, judge, type Kept, mergeClaims } from './batch.ts'
import { BatchSize, endOfCommand } from './batch-size.ts'

export interface FlusherOptions {
  readonly stream: WriteStream
  readonly documents: DocumentStore
  readonly incarnation: Incarnation
  readonly commandsPerSecond: number
  readonly maxBatchDocuments: number
  readonly maxBatchBytes: number
  /** See `BatchSize`. */
  readonly commandTargetMs: number
  readonly batchDelayMs: number
  readonly maxTakeovers: number
  readonly observe: FlusherObserver
  /** Waits, shorter when the signal aborts. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly now?: () => number
}

export interface FlusherObserver {
  /** One write command was answered. */
  command(documents: number, outcomes: readonly InsertOutcome[], durationMs: number): void
  settled(documents: number, dead: number): void
  /** Entries that somebody else settled meanwhile: this consumer was thought dead. */
  notOwner(entries: number): void
  /** A store failed; the queue keeps what was claimed. */
  failed(error: unknown, failures: number, retryInMs: number): void
}

/** The budget that all consumers of one queue share, and how much of it is used: room for a late command or two. */
const budget = 'commands'
const usedShare = 0.95
const longestWaitMs = 1000
const firstRetryMs = 100
const longestRetryMs = 10_000
const maxEntries = 1000
/** What is claimed for a small command: as much as the largest entry has, which is handed out whole in any case. */
const leastClaimBytes = defaultBounds.maxEntryBytes

/**
 * Moves entries from the queue to the store. One round: claim what is there, wait for the slot of a write command,
 * insert, and settle each entry once the store has answered for every one of its documents. Whatever gathers in the
 * queue meanwhile is the next batch, so that batches grow with the load and a command is never spent on waiting. Documents and bytes
 * of a command have a bound each, and its bytes another one from how long the store takes for them (`BatchSize`).
 *
 * While a store fails, rounds are probes of a single entry with growing pauses (a circuit breaker that is half open);
 * what is claimed stays claimed and is handed out again. Afterwards batches double from one entry on: a store that is too
 * slow for a large batch would otherwise fail it again and again, and never get further.
 *
 * An entry of which the store refuses a document, for no reason that is known to last, is kept and comes again beside what is
 * next, so that it holds up nobody; after `maxRefusals` that document is dead. While nothing else can be settled, that is a failure.
 */
export class Flusher {
  readonly #options: FlusherOptions
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly #now: () => number
  #lastCommandEndedMs = -Infinity
  #failures = 0
  /** Entries in the next batch. */
  #limit = maxEntries
  readonly #size: BatchSize
  #held: readonly Claimed[] = []
  /** Of entries which are held. */
  readonly #refusals = new Map<string, number>()

  constructor(options: FlusherOptions) {
    this.#options = options
    // What was claimed is at least one entry, whatever the bound on bytes: one command should it be.
    const maxBytes = Math.max(options.maxBatchBytes, leastClaimBytes)
    this.#size = new BatchSize({ maxBytes, targetMs: options.commandTargetMs })
    this.#sleep = options.sleep ?? pause
    this.#now = options.now ?? (() => performance.now())
  }

  /** Failed rounds in a row; 0 while all is well. */
  get failures(): number {
    return this.#failures
  }

  /** Most bytes of the next write command. */
  get commandBytes(): number {
    return this.#size.bytes
  }

  /** Works until the signal aborts; then finishes the round it is in and gives back what it could not settle. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const full = await this.round(signal)
        this.#failures = 0
        this.#limit = Math.min(maxEntries, this.#limit * 2)
        if (!full && this.#options.batchDelayMs > 0) await this.#sleep(this.#options.batchDelayMs, signal)
      } catch (error) {
        const retryInMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures)
        this.#failures++
        this.#limit = 1
        this.#options.observe.failed(error, this.#failures, retryInMs)
        await this.#sleep(retryInMs, signal)
      }
    }
    if (this.#held.length > 0) await this.#options.stream.release(this.#held)
  }

  /** One round; whether there was as much as a batch may hold. */
  async round(signal?: AbortSignal): Promise<boolean> {
    const { stream, incarnation, maxBatchBytes, maxTakeovers } = this.#options
    const maxBytes = Math.min(maxBatchBytes, Math.max(leastClaimBytes, this.#size.bytes))
    const claims = await stream.claim(incarnation, {
      // What is held comes first, and shall leave room for what is next.
      maxEntries: this.#limit + this.#refusals.size,
      maxBytes: maxBytes + bytesOf(this.#held),
      waitMs: longestWaitMs,
      ...(signal === undefined ? {} : { signal }),
    })
    if (claims.length === 0) this.#refusals.clear()
    this.#held = claims
    const kept: Kept[] = []
    for (const batch of mergeClaims(claims, maxTakeovers)) kept.push(...(await this.#flush(batch)))
    this.#held = kept.map(({ claimed }) => claimed)
    const [refused] = kept
    if (refused !== undefined && kept.length === claims.length)
      throw new Error(`the document store refuses what it is given: ${refused.reason}`)
    return claims.length - kept.length >= this.#limit || bytesOf(claims) - bytesOf(this.#held) > maxBytes / 2
  }

  async #flush(batch: Batch): Promise<readonly Kept[]> {
    const outcomes: InsertOutcome[] = []
    const { maxBatchDocuments, stream, observe } = this.#options
    for (let from = 0; from < batch.documents.length;) {
      const bounds = { maxDocuments: maxBatchDocuments, maxBytes: this.#size.bytes }
      const end = endOfCommand(batch.documents, from, bounds)
      for (const outcome of await this.#command(batch.documents.slice(from, end))) outcomes.push(outcome)
      from = end
    }
    const { acknowledge, bury, keep } = judge(batch, outcomes, this.#refusals)
    for (const { entry } of batch.claims) this.#refusals.delete(entry)
    for (const { claimed, refusals } of keep) this.#refusals.set(claimed.entry, refusals)
    const settled = [
      ...(acknowledge.length > 0 ? await stream.acknowledge(acknowledge) : []),
      ...(bury.length > 0 ? await stream.bury(bury) : []),
    ]
    const lost = settled.filter((outcome) => outcome === 'not-owner').length
    if (lost > 0) observe.notOwner(lost)
    observe.settled(
      outcomes.length,
      bury.reduce((sum, { dead }) => sum + dead.length, 0),
    )
    return keep
  }

  /** Spends one write command. */
  async #command(documents: readonly Document[]): Promise<readonly InsertOutcome[]> {
    const { stream, commandsPerSecond, observe } = this.#options
    const waitMs = await stream.reserveSlot({
      budget,
      intervalMs: 1000 / (commandsPerSecond * usedShare),
      sinceLastMs: this.#now() - this.#lastCommandEndedMs,
    })
    // No signal: who stops has his documents in hand and writes them.
    if (waitMs > 0) await this.#sleep(Math.ceil(waitMs))
    const startedMs = this.#now()
    try {
      const outcomes = await this.#options.documents.insertMany(documents)
      const durationMs = this.#now() - startedMs
      observe.command(documents.length, outcomes, durationMs)
      this.#size.answered(
        documents.reduce((sum, { bson }) => sum + bson.byteLength, 0),
        durationMs,
      )
      return outcomes
    } catch (error) {
      this.#size.failed()
      throw error
    } finally {
      this.#lastCommandEndedMs = this.#now()
    }
  }
}

const bytesOf = (claims: readonly Claimed[]): number => claims.reduce((sum, { body }) => sum + body.byteLength, 0)

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  // An abort ends the pause early, which is all it is for.
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {})
}
