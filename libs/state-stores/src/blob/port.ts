import type { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'

/** SHA-256 in 64 lower-case hex digits. */
export type Digest = string

/**
 * What a caller calls some bytes. In a content-addressed family the key is the digest itself; a keyed family may use
 * any string. Two names may lead to the same bytes, which are then kept once.
 */
export interface EntryName {
  /** 1 to 64 characters of `a-z 0-9 . _ -`. What stands before the first dot is its family, see `FamilyPolicy`. */
  readonly namespace: string
  /** 1 to 1024 bytes of UTF-8. */
  readonly key: string
}

export interface NewEntry {
  readonly name: EntryName
  /** What the bytes must hash to; checked by the store before anything becomes visible. */
  readonly digest?: Digest
  /**
   * Only under a name that is free: what is there stays as it is. Decided in the step that writes, so of all who do this
   * at once, in all processes and replicas, one is told `created`.
   */
  readonly onlyIfNew?: boolean
}

export interface SmallEntry extends NewEntry {
  readonly bytes: Uint8Array
}

/**
 * - `created`: the name was free. `replaced`: it led to other bytes, which are released. `exists`: it led to these
 *   bytes already; damaged ones were made good.
 * - `taken`: it was to be `onlyIfNew`, and the name leads to other bytes, those of `digest`, or to damaged ones. (To the same
 *   bytes is `exists`, so that whoever lost the answer can ask again.)
 * - `full`: it would not fit the quota, or as a file of its own not the disk. (A commit for which the disk has no room
 *   rejects with a `NotAppliedError`, which `diskTroubleOf` tells apart.) `too-large`: larger than this call takes.
 * - `mismatch`: the bytes do not hash to the digest that the caller named; `digest` is what they hash to.
 */
export type PutOutcome =
  | {
      readonly outcome: 'created' | 'replaced' | 'exists'
      readonly digest: Digest
      readonly sizeBytes: number
    }
  | { readonly outcome: 'full' }
  | { readonly outcome: 'too-large'; readonly limitBytes: number }
  | { readonly outcome: 'mismatch'; readonly digest: Digest }
  | { readonly outcome: 'taken'; readonly digest: Digest }
  | FailedItem

export type RemoveOutcome = 'removed' | 'missing' | FailedItem

/** What became of one item of a list in a store that lacks `one-commit`: there each one fails for itself. */
export interface FailedItem {
  readonly outcome: 'failed'
  readonly error: NotAppliedError | OutcomeUnknownError
}

export interface BlobStat {
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface ByteRange {
  readonly start: number
  /** Exclusive; missing or beyond the end: the end. */
  readonly end?: number
}

/** Bytes that are being read; close it, also when the body was not read. */
export interface OpenBlob extends BlobStat, AsyncDisposable {
  /** The range that `body` gives, clipped to the size. */
  readonly range: Required<ByteRange>
  /** The range itself, when the store has it in memory anyway; then `body` need not be read. */
  readonly bytes?: Buffer
  /**
   * Read once. Each chunk is verified before it is given out; a damaged one rejects with `DamagedBlobError`, and since
   * earlier chunks may be with the reader already, whoever relays it must cut the transfer off.
   */
  body(): AsyncIterable<Buffer>
  /**
   * Gives back a piece of `body` that nothing will look at again: what is read next may take its place. Nobody has to;
   * but who reads a GiB has the garbage collector work as hard as the verification otherwise.
   */
  readonly release?: (piece: Buffer) => void
  close(): Promise<void>
}

export interface ScannedEntry extends BlobStat {
  readonly key: string
}

export interface ScanPage {
  readonly entries: readonly ScannedEntry[]
  /** Where the next page begins; missing after the last one. */
  readonly next?: string
}

/** Bytes that arrive, in pieces of any size. */
export interface BlobSource extends AsyncIterable<Uint8Array> {
  /** Given each piece that the store is done with, if the store says so: its memory need not wait for the garbage collector. */
  readonly release?: (piece: Uint8Array) => void
}

/** What a family of namespaces may take up, and what happens then; decided in the step that writes. */
export interface FamilyPolicy {
  /**
   * `keep`: what does not fit is `full`, and what was acknowledged stays. `evict`: it is a cache, whose least recently
   * used entries go, when its own quota is reached, and when the store's is: also for the sake of families that keep.
   * An entry that could never fit evicts nothing. Reads count as use, to the minute, and not over a crash.
   */
  readonly whenFull: 'keep' | 'evict'
  /** Of the family's entries, each counted on its own, also where two share bytes. Default: that of the store. */
  readonly quotaBytes?: number
  /** An entry is gone when it was not written (in a family that evicts: not used) for this long. Default: it stays. */
  readonly ttlMs?: number
}

/** What a page of a scrub has found. */
export interface ScrubPage {
  readonly blobs: number
  readonly sizeBytes: number
  /** Of these blobs; those that were known to be included. */
  readonly damaged: number
  /** Where the next page begins; missing after the last one. */
  readonly next?: string
}

export interface ScrubOptions {
  readonly after?: string
  /** Blobs of this page. */
  readonly limit: number
  /** Awaited after every piece that was read, with its size: where it waits, the scrub does. An error ends it. */
  readonly pace?: (sizeBytes: number) => Promise<void>
}

export interface FamilyUsage {
  readonly entries: number
  readonly sizeBytes: number
}

export interface BlobUsage {
  readonly entries: number
  readonly blobs: number
  /** Of the blobs themselves, each counted once. */
  readonly sizeBytes: number
  readonly quotaBytes: number
  /** Those that have entries; each entry counted on its own. */
  readonly families: Readonly<Record<string, FamilyUsage>>
}

export interface BlobCapabilities {
  /** An acknowledged write survives the end of the process and loss of power. */
  readonly durable: boolean
  /** Any number of processes may have the store open. */
  readonly shared: boolean
  /** What this port promises and the store cannot keep, each with the reason. */
  readonly lacks: Readonly<Partial<Record<BlobLack, string>>>
}

/**
 * - `one-copy`: each name has bytes of its own, so equal bytes are stored once per name.
 * - `usage`: `usage()` is undefined, and a quota is refused when the store is opened.
 * - `one-commit`: the items of a list are written one by one, so each may fail alone, with the outcome `failed`.
 * - `exact-outcomes`: what was there before is read before it is changed, so calls for the same name that run at the
 *   same time may both be told `created`, or both `removed`. Those that are `onlyIfNew` are exact among themselves.
 * - `linearizable-remove`: a removal whose answer was lost may still remove what is put after it.
 * - `policies`: nothing is evicted, and a quota or time of life of a family is refused when the store is opened.
 * - `scrub`: `scrub()` is undefined; damage is found when it is read.
 * - `namespaces`: `namespaces()` is undefined, so there is no way to read all that is stored.
 * - `long-keys`: keys beyond 200 bytes are refused with `RangeError`.
 */
export const blobLacks = [
  'one-copy',
  'usage',
  'one-commit',
  'exact-outcomes',
  'linearizable-remove',
  'policies',
  'scrub',
  'namespaces',
  'long-keys',
] as const
export type BlobLack = (typeof blobLacks)[number]

/** The bytes at rest are not what they were: they are set aside, and never given out. Putting them again makes it good. */
export class DamagedBlobError extends Error {
  override readonly name = 'DamagedBlobError'
  readonly digest: Digest

  constructor(digest: Digest, what: string) {
    super(`the bytes of ${digest} are damaged (${what}); they were set aside, put them again`)
    this.digest = digest
  }
}

/** What is stored cannot be read now, for the disk fails; it may be whole, and nothing of it was changed. */
export class UnreadableBlobError extends Error {
  override readonly name = 'UnreadableBlobError'
}

/**
 * Bytes by name, each blob kept once and verified on the way in and on the way out.
 *
 * Entries are (namespace, key) -> digest. A blob counts the entries that lead to it, in the transaction that changes
 * the entry, and goes with the last one; removing a name of one family never takes bytes from another.
 * Writes answer one outcome per item, in order, and resolve when durable; a refused item does not fail its
 * neighbours. They reject with `NotAppliedError` when nothing of the call was applied, with `OutcomeUnknownError` when
 * it may have been. Putting and removing the same name is linearizable, over all processes that share the store.
 * Where a store cannot keep this, `capabilities.lacks` says what and why.
 */
export interface BlobStore extends AsyncDisposable {
  readonly capabilities: BlobCapabilities
  /** The largest value that `putSmall` takes. */
  readonly inlineBytes: number

  /** One durable commit for all of them. Bytes must not change until it resolves. */
  putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]>

  /**
   * Any size up to the store's limit, streamed; nothing is visible before all of it has arrived, is verified and
   * durable. An abort or an error of the source leaves no trace and rejects with it. Holds a few chunks in memory, or of
   * a server one part, 8 MiB.
   */
  put(entry: NewEntry, source: Iterable<Uint8Array> | BlobSource, signal?: AbortSignal): Promise<PutOutcome>

  /**
   * The bytes of a name; undefined when there is none. What is open stays readable when its name is removed.
   * Rejects with `DamagedBlobError` when the bytes are known to be damaged or the first chunk turns out to be, with
   * `RangeError` when the range begins behind the end. This and the other reads reject with `UnreadableBlobError` when
   * the disk fails, with the errors of writes when a server does.
   */
  open(name: EntryName, range?: ByteRange): Promise<OpenBlob | undefined>

  /**
   * The bytes of a name, verified, where they can be had without waiting. Undefined says nothing: `open` knows. For the
   * small ones that are asked for most, whose answer a promise or two would make dearer. Not in stores that always wait.
   */
  peek?(name: EntryName): Buffer | undefined

  /** Without a look at the bytes. */
  stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]>

  remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]>

  /** A page of a namespace, in a stable order; each entry that is there all the while comes exactly once. */
  scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage>

  /** Those that have entries, in order. Undefined in a store that lacks `namespaces`. */
  namespaces(): Promise<readonly string[]> | undefined

  /**
   * Reads a page of all blobs from end to end, whatever their names, while others read and write. What is damaged is
   * set aside and reported as when a reader had found it. Undefined in a store that lacks `scrub`.
   */
  scrub(options: ScrubOptions): Promise<ScrubPage> | undefined

  /** Undefined in a store that lacks `usage`. */
  usage(): BlobUsage | undefined

  /** Rejects with one sentence when the store cannot do its work. */
  check(): Promise<void>

  /** Waits for writes that are running, refuses new ones. */
  close(): Promise<void>
}

/** Something that `onDamage` reports once per discovery. */
export interface Damage {
  readonly digest: Digest
  readonly what: string
}

export interface BlobOptions {
  /** Blobs beyond this are refused with `full`; default: no limit but the disk. */
  readonly quotaBytes?: number
  /** Largest blob that `put` takes; default: no limit. */
  readonly maxBlobBytes?: number
  /** How bytes rest on disk; sizes, quotas and digests stay those of the bytes themselves. Default: none. Not for servers. */
  readonly compression?: 'none' | 'zstd'
  readonly onDamage?: (damage: Damage) => void
  /** By family; those that are not named keep, within the quota of the store. */
  readonly families?: Readonly<Record<string, FamilyPolicy>>
  /** Unix ms; default: the system's clock. */
  readonly now?: () => number
}
