/** 24 lower-case hex digits: the twelve bytes of a MongoDB ObjectId. */
export type DocumentId = string

/** One document as canonical BSON (https://bsonspec.org), its ObjectId `_id` the first element. */
export interface Document {
  readonly id: DocumentId
  readonly bson: Uint8Array
}

/**
 * What became of one document.
 * - `inserted`: it was not there and now is.
 * - `exists`: the same `_id` with the same bytes is there: an earlier attempt had succeeded.
 * - `conflict`: the same `_id` holds other content. The stored one is kept; this one is for the dead letters.
 * - `refused`: it is not there, its neighbours may be; whether it ever can be is unknown, and `temporary` tells that nothing
 *   is wrong with it: its part of the store is busy, full or away.
 * - `invalid`: it can never be stored (no BSON, another `_id` inside than outside, too large); says why.
 */
export type InsertOutcome =
  | { readonly outcome: 'inserted' | 'exists' | 'conflict' }
  | { readonly outcome: 'invalid'; readonly reason: string }
  | { readonly outcome: 'refused'; readonly reason: string; readonly temporary: boolean }

/**
 * A store of documents which are inserted in bulk and never changed.
 *
 * Writes are idempotent by `_id`, so whoever does not know what became of a call (a rejection that is no
 * `NotAppliedError`) repeats it and is told `exists` for what had happened.
 */
export interface DocumentStore extends AsyncDisposable {
  /**
   * Inserts what is not there, in exactly one write command however many documents there are; none for an empty list.
   * One outcome per document, in order; a refused document never fails its neighbours. When the promise resolves,
   * the inserted documents are durable (a cluster: on a majority, journaled). Not atomic across documents: after a
   * rejection any of them may be there. The store copies what it keeps, so the bytes may be reused afterwards.
   */
  insertMany(documents: readonly Document[]): Promise<readonly InsertOutcome[]>

  /** The BSON of each id, in order; `undefined` where there is none. */
  get(ids: readonly DocumentId[]): Promise<readonly (Uint8Array | undefined)[]>

  /** The first document of this `type` in insertion order, or in the natural order of a server that keeps no other. */
  findFirst(filter: { readonly type: string }): Promise<Document | undefined>

  count(): Promise<number>

  /** Write commands since the store was created, those of other processes included: the store's own count; of this handle only where a server counts for all its databases. */
  commands(): Promise<bigint>

  /** When the latest write commands ran (unix ms with fractions, oldest first), at least 10,000 of them; only where a store keeps such a log. */
  commandTimes?(): Promise<readonly number[]>

  /** Resolves when the store answers; rejects with what is wrong. */
  check(): Promise<void>

  close(): Promise<void>
}

/** The largest document, as MongoDB has it. */
export const maxDocumentBytes = 16 * 1024 * 1024
