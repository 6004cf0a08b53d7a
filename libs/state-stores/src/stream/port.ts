/** One life of one consumer: its name and something new per start, so that a restarted one is somebody else. */
export type Incarnation = string

/** A micro-batch: what one write step of a producer puts into the queue and one acknowledgement takes out. */
export interface Entry {
  /** How many documents the body holds; the stream only adds them up. */
  readonly documents: number
  readonly body: Uint8Array
  /**
   * The id (24 hex digits) of the first document, if the entry shall be found by `locate`. One writer, told by the
   * five random bytes in its ObjectIds, appends with ascending counters and starts a new entry where they wrap.
   */
  readonly firstId?: string
}

/**
 * How safe an appended entry was when the append answered: two facts, not a ladder.
 * `fsyncedLocal`: on the disk of the machine that holds the queue. `replicas`: other machines that confirmed it.
 */
export interface Durability {
  readonly fsyncedLocal: boolean
  readonly replicas: number
  /** Present where the end of whatever holds the queue takes it along: it is in no file. */
  readonly volatile?: true
}

/** `full` and `too-large`: definitely not appended. */
export type AppendOutcome =
  | { readonly outcome: 'appended'; readonly durability: Durability }
  | { readonly outcome: 'full'; readonly bound: 'entries' | 'bytes' | 'age' }
  | { readonly outcome: 'too-large'; readonly maxBytes: number }

/** An entry in a consumer's hands, and the fence (owner, delivery) under which he may settle it. */
export interface Claimed {
  readonly entry: string
  readonly owner: Incarnation
  /** 1 at the first hand-out; every later one adds 1 and makes the earlier claims void. */
  readonly delivery: number
  /** Incarnations which held the entry before and never settled it: dead consumers, or a time-out set too low. */
  readonly takeovers: number
  readonly appendedAtMs: number
  readonly documents: number
  readonly body: Uint8Array
  /** Why the body is not what was appended (its checksum differs): the entry is dead as a whole. */
  readonly damaged?: string
}

/** Acknowledged, buried or released; or refused, because the claim is no longer the current one. */
export type SettleOutcome = 'settled' | 'not-owner'

/** What became of a dead letter that shall be tried again: `unknown`: there is none of this id; `full`: it stays dead. */
export type ReplayOutcome =
  | { readonly outcome: 'replayed' | 'unknown' }
  | { readonly outcome: 'full'; readonly bound: 'entries' | 'bytes' | 'age' }

/** A document that no store will take, kept under its `_id`; under `entry:<id>` when a whole entry cannot be read. */
export interface DeadDocument {
  readonly id: string
  readonly reason: string
  readonly body: Uint8Array
}

export interface BuriedDocument extends DeadDocument {
  readonly buriedAtMs: number
  /** Deliveries of its entry until it was buried. */
  readonly deliveries: number
}

export interface Burial {
  readonly claimed: Claimed
  readonly dead: readonly DeadDocument[]
}

/** What is in the queue (claimed or not) and what has passed through it since it was created. */
export interface Backlog {
  readonly entries: number
  readonly documents: number
  readonly bytes: number
  /** Age of the oldest entry that this release reads; 0 when there is none. Such in the format of a newer one stop nobody. */
  readonly oldestAgeMs: number
  /** Entries in the format of a newer release, as far as a consumer came upon them: they wait for one of that release. */
  readonly parkedEntries: number
  readonly deadLetters: number
  readonly appendedDocuments: bigint
  /** Left the queue by `acknowledge` or `bury`, and their bytes: two readings make a drain rate. */
  readonly settledDocuments: bigint
  readonly settledBytes: bigint
}

/** Checked inside the append step. An append is refused while the queue is at a bound. */
export interface StreamBounds {
  readonly maxEntries: number
  readonly maxBytes: number
  /** While the oldest entry is older, nothing new is taken: the consumer is not keeping up. */
  readonly maxOldestAgeMs: number
  /** Largest body of one entry. */
  readonly maxEntryBytes: number
}

export interface ClaimRequest {
  readonly maxEntries: number
  /** Stops before the entry that would exceed it; the first entry is always handed out. */
  readonly maxBytes: number
  /** How long to wait for an entry when there is none; 0 answers at once. */
  readonly waitMs: number
  readonly signal?: AbortSignal
}

export interface SlotRequest {
  /** Consumers that name the same budget share it. */
  readonly budget: string
  /** Time between two commands: 1000 / (commands a second). */
  readonly intervalMs: number
  /** How long ago this consumer's previous command ended; Infinity before the first. */
  readonly sinceLastMs: number
}

/**
 * A write-behind queue: at least once, first in first out, never trimmed. An entry leaves it by `acknowledge` or `bury`
 * of whoever holds its current claim, and in no other way. Any consumer is handed what is next, or only the one that
 * occupies the queue.
 *
 * Every method is one atomic step against all processes that use the stream. Time is the stream's own clock.
 * A rejection with `NotAppliedError` means that nothing happened; any other one: unknown.
 */
export interface WriteStream extends AsyncDisposable {
  /** One outcome per entry, in order. Bodies may be reused once the promise has resolved. */
  append(entries: readonly Entry[]): Promise<readonly AppendOutcome[]>

  /**
   * Hands out entries: first those this incarnation holds already (so settle or release before you claim again),
   * then abandoned ones (released, or held by another for longer than the claim time-out), then new ones, each in
   * order of appending. Empty when the wait ends, or when the signal aborts it.
   */
  claim(consumer: Incarnation, request: ClaimRequest): Promise<readonly Claimed[]>

  /** Removes entries whose every document is stored. */
  acknowledge(claims: readonly Claimed[]): Promise<readonly SettleOutcome[]>

  /** Removes entries whose every document is stored or dead, and keeps the dead ones: both or neither. Never replaces a letter by a different one. */
  bury(burials: readonly Burial[]): Promise<readonly SettleOutcome[]>

  /** Gives entries back at once, for whoever stops before he could settle them. */
  release(claims: readonly Claimed[]): Promise<readonly SettleOutcome[]>

  backlog(): Promise<Backlog>

  /**
   * Dead letters by ascending id, starting behind `after`. Those of one id in several partitions come together, if need be more
   * than `limit`.
   */
  deadLetters(page: { readonly after?: string; readonly limit: number }): Promise<readonly BuriedDocument[]>

  /** The dead letter of this id. */
  deadLetter(id: string): Promise<BuriedDocument | undefined>

  /**
   * Moves dead letters back into the queue as new entries at its end, within its bounds: each is dead or queued, never both and
   * never neither. One outcome per id, in order. After an unknown outcome it may be repeated: what was moved is `unknown` then.
   */
  replay(ids: readonly string[]): Promise<readonly ReplayOutcome[]>

  /** The queued entry that holds the document if any does: the one with the greatest `firstId` of the same writer not above `id`. */
  locate(id: string): Promise<Uint8Array | undefined>

  /** Bodies of all queued entries in order, a page at a time: for audits. */
  queued(page: { readonly after?: string; readonly limit: number }): Promise<readonly QueuedEntry[]>

  /**
   * Reserves the next slot of a shared budget and returns the milliseconds until it: the generic cell rate algorithm
   * (ITU-T I.371) with burst 1. A slot also keeps the interval from the end of the caller's previous command, so that
   * a late command is never followed by an early one. A slot that is not used is lost.
   */
  reserveSlot(request: SlotRequest): Promise<number>

  /**
   * Makes the consumer the only one to whom this queue hands entries, until it resigns or was not heard of (by `occupy` or
   * `claim`) for the claim time-out. False while it is another one: whose claims find nothing meanwhile. To settle, no
   * occupation is needed: there the fence of each claim decides.
   */
  occupy(consumer: Incarnation): Promise<boolean>

  /** Ends the consumer's occupation, if it has it. What it still holds stays its own until it is settled or abandoned. */
  resign(consumer: Incarnation): Promise<void>

  /** Kept by the first partition of a queue. */
  readonly roster: Roster

  /** Resolves when the queue can take an append; rejects with what is wrong. */
  check(): Promise<void>

  close(): Promise<void>
}

/** A consumer of a queue in partitions, and those that it occupies, as it said. */
export interface Attendant {
  readonly consumer: Incarnation
  readonly holds: readonly number[]
}

/** Who is there to share the partitions of a queue. Only `occupy` decides who has one. */
export interface Roster {
  /** Notes that the consumer is there and what it occupies. Answers who was there within the claim time-out, itself among them. */
  attend(consumer: Incarnation, holds: readonly number[]): Promise<readonly Attendant[]>
  depart(consumer: Incarnation): Promise<void>
  /** How many partitions the queue has; raised to `atLeast`, never lowered: what is in one must be found. */
  partitions(atLeast: number): Promise<number>
}

export interface QueuedEntry {
  readonly entry: string
  /** For an entry in the format of a newer release a sentence that says so, which is no BSON. */
  readonly body: Uint8Array
}

export interface StreamOptions {
  readonly bounds?: Partial<StreamBounds>
  /** A claim older than this is abandoned. It must exceed the longest time a consumer needs for a batch. */
  readonly claimTimeoutMs?: number
  /** Unix ms. */
  readonly now?: () => number
  /** Told when entries are found to be gone which nobody settled: another program removed them. For queues which others can reach. */
  readonly onLost?: (entries: number) => void
  /**
   * Told when claimed entries are in the format of a newer release. They are parked: handed to nobody for a claim time-out, then
   * tried again, so that consumers of that release get them and this one goes on with the rest.
   */
  readonly onParked?: (entries: number) => void
  /**
   * Others append, and this handle only tells whether they can: it sees none of their appends fail, so `check` tries one each time
   * where it otherwise would when in doubt.
   */
  readonly watchesOthers?: boolean
  /** Told with a reason, when it opens, that the queue does not outlive the server that holds it, as the URL accepts. */
  readonly onVolatile?: (reason: string) => void
  /**
   * The least durability that will do. Without `fsyncedLocal` the stream does not open, and refuses appends while it cannot be
   * had; `replicas` are waited for, and an append that fewer confirmed says so.
   */
  readonly wanted?: Partial<Durability>
}

export const defaultBounds: StreamBounds = {
  maxEntries: 100_000,
  maxBytes: 512 * 1024 * 1024,
  maxOldestAgeMs: 15 * 60_000,
  maxEntryBytes: 256 * 1024,
}

export const defaultClaimTimeoutMs = 30_000
