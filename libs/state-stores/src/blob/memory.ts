import { NotAppliedError } from '../outcome.ts'
import { ChunkHasher, sha256 } from './hash.ts'
import { inMemoryBlob } from './in-memory-blob.ts'
import { assertName } from './name.ts'
import {
  DamagedBlobError,
  type BlobOptions,
  type BlobStat,
  type BlobStore,
  type BlobUsage,
  type ByteRange,
  type Digest,
  type EntryName,
  type NewEntry,
  type OpenBlob,
  type PutOutcome,
  type RemoveOutcome,
  type ScanPage,
  type ScrubOptions,
  type ScrubPage,
  type SmallEntry,
} from './port.ts'
import { familyOf } from './families.ts'
import { MemoryLedger } from './memory/ledger.ts'
import { applied, noTotals } from './quota.ts'
import { clip } from './range.ts'

interface Blob {
  bytes: Buffer
  references: number
  damaged: boolean
}

/** Forgets everything at the end. For tests, and for caches whose loss nobody minds. */
export class MemoryBlobStore implements BlobStore {
  readonly capabilities = { durable: false, shared: false, lacks: {} }
  readonly inlineBytes: number
  readonly #options: BlobOptions
  readonly #quotaBytes: number
  readonly #blobs = new Map<Digest, Blob>()
  /** Namespace -> key -> digest. */
  readonly #entries = new Map<string, Map<string, Digest>>()
  readonly #ledger: MemoryLedger
  #totals = noTotals
  #closed = false

  constructor(options: BlobOptions & { inlineBytes?: number } = {}) {
    this.#options = options
    this.#quotaBytes = options.quotaBytes ?? Infinity
    this.#ledger = new MemoryLedger(options.families ?? {}, options.now ?? Date.now)
    this.inlineBytes = options.inlineBytes ?? 64 * 1024
  }

  async putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]> {
    this.#assertOpen()
    for (const { name } of entries) assertName(name)
    return entries.map((entry) =>
      entry.bytes.length > this.inlineBytes
        ? { outcome: 'too-large', limitBytes: this.inlineBytes }
        : this.#put(entry, Buffer.from(entry.bytes), sha256(entry.bytes)),
    )
  }

  async put(
    entry: NewEntry,
    source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<PutOutcome> {
    this.#assertOpen()
    assertName(entry.name)
    const limitBytes = this.#options.maxBlobBytes ?? Infinity
    const hasher = new ChunkHasher()
    const pieces: Uint8Array[] = []
    for await (const piece of source) {
      signal?.throwIfAborted()
      hasher.update(piece)
      if (hasher.sizeBytes > limitBytes) return { outcome: 'too-large', limitBytes }
      pieces.push(piece)
    }
    signal?.throwIfAborted()
    this.#assertOpen()
    return this.#put(entry, Buffer.concat(pieces), hasher.finish().digest)
  }

  async open(name: EntryName, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    const digest = this.#digestOf(name)
    if (digest === undefined) return undefined
    if (this.#ledger.policyOf(familyOf(name.namespace)).whenFull === 'evict') this.#ledger.used(name)
    const blob = this.#blobs.get(digest)
    if (blob === undefined || blob.damaged) throw new DamagedBlobError(digest, 'found earlier')
    if (sha256(blob.bytes) !== digest) {
      blob.damaged = true
      this.#options.onDamage?.({ digest, what: 'in memory' })
      throw new DamagedBlobError(digest, 'in memory')
    }
    return inMemoryBlob(digest, blob.bytes, clip(range, blob.bytes.length))
  }

  peek(name: EntryName): Buffer | undefined {
    const digest = this.#digestOf(name)
    const blob = digest === undefined ? undefined : this.#blobs.get(digest)
    if (blob === undefined || blob.damaged || sha256(blob.bytes) !== digest) return undefined
    if (this.#ledger.policyOf(familyOf(name.namespace)).whenFull === 'evict') this.#ledger.used(name)
    return blob.bytes
  }

  async stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    return names.map((name) => this.#stat(this.#digestOf(name)))
  }

  async remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]> {
    this.#assertOpen()
    return names.map((name) => {
      const found = this.#digestOf(name) !== undefined
      this.#remove(name)
      return found ? 'removed' : 'missing'
    })
  }

  async scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    const keys = [...(this.#entries.get(namespace)?.keys() ?? [])].filter((key) => after === undefined || key > after)
    const page = keys.toSorted().slice(0, limit)
    const entries = page.flatMap((key) => {
      const stat = this.#stat(this.#digestOf({ namespace, key }))
      return stat === undefined ? [] : [{ key, ...stat }]
    })
    const last = page.at(-1)
    return keys.length > page.length && last !== undefined ? { entries, next: last } : { entries }
  }

  async scrub({ after = '', limit, pace }: ScrubOptions): Promise<ScrubPage> {
    const digests = [...this.#blobs.keys()].filter((digest) => digest > after).toSorted()
    const page = digests.slice(0, limit)
    let [sizeBytes, damaged] = [0, 0]
    for (const digest of page) {
      const blob = this.#blobs.get(digest)
      if (blob === undefined) continue
      if (!blob.damaged && sha256(blob.bytes) !== digest) {
        blob.damaged = true
        this.#options.onDamage?.({ digest, what: 'in memory' })
      }
      if (blob.damaged) damaged++
      sizeBytes += blob.bytes.length
      await pace?.(blob.bytes.length)
    }
    const last = page.at(-1)
    const next = digests.length > page.length && last !== undefined ? { next: last } : {}
    return { blobs: page.length, sizeBytes, damaged, ...next }
  }

  async namespaces(): Promise<readonly string[]> {
    return [...this.#entries].flatMap(([namespace, { size }]) => (size > 0 ? [namespace] : [])).toSorted()
  }

  usage(): BlobUsage {
    return { ...this.#totals, quotaBytes: this.#quotaBytes, families: this.#ledger.usage() }
  }

  async check(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Flips a bit of a blob, as failing memory would; for tests of those who read. */
  damage(digest: Digest, at = 0): void {
    const bytes = this.#blobs.get(digest)?.bytes
    if (bytes?.[at] !== undefined) bytes[at] ^= 1
  }

  #put({ name, digest: expected, onlyIfNew }: NewEntry, bytes: Buffer, digest: Digest): PutOutcome {
    if (expected !== undefined && expected !== digest) return { outcome: 'mismatch', digest }
    if (this.#ledger.isExpired(name)) this.#remove(name)
    const taken = onlyIfNew === true ? this.#digestOf(name) : undefined
    if (taken !== undefined && (taken !== digest || this.#blobs.get(taken)?.damaged !== false)) {
      return { outcome: 'taken', digest: taken }
    }
    for (;;) {
      const outcome = this.#putWithin(name, bytes, digest)
      if (typeof outcome === 'object') return outcome
      if (!this.#makeRoom(outcome, name, digest, bytes.length)) return { outcome: 'full' }
    }
  }

  /** Takes one entry away, the least recently used that may go; false when that could not help. */
  #makeRoom(full: 'family-full' | 'store-full', name: EntryName, digest: Digest, sizeBytes: number): boolean {
    const own = familyOf(name.namespace)
    if (sizeBytes > (this.#ledger.policyOf(own).quotaBytes ?? Infinity)) return false
    const { yielding } = this.#ledger
    const yieldedBytes = yielding.reduce((bytes, family) => bytes + this.#ledger.usageOf(family).sizeBytes, 0)
    // Not even if all of it went.
    if (this.#totals.sizeBytes - yieldedBytes + sizeBytes > this.#quotaBytes) return false
    const families = full === 'family-full' ? [own] : yielding
    const candidates = families.flatMap((family) => {
      for (const use of this.#ledger.candidates(family)) {
        if (this.#entries.get(use.name.namespace)?.get(use.name.key) !== digest) return [use]
      }
      return []
    })
    const [oldest] = candidates.toSorted((a, b) => a.atMs - b.atMs)
    if (oldest !== undefined) this.#remove(oldest.name)
    return oldest !== undefined
  }

  #remove(name: EntryName): void {
    const entries = this.#entries.get(name.namespace)
    const digest = entries?.get(name.key)
    if (digest === undefined) return
    entries?.delete(name.key)
    this.#ledger.forget(name)
    this.#ledger.change(familyOf(name.namespace), -1, -(this.#blobs.get(digest)?.bytes.length ?? 0))
    const freedBytes = this.#release(digest)
    this.#totals = applied(this.#totals, { addedBytes: undefined, freedBytes, entries: -1 }, Infinity) ?? noTotals
  }

  #putWithin(name: EntryName, bytes: Buffer, digest: Digest): PutOutcome | 'family-full' | 'store-full' {
    const before = this.#digestOf(name)
    const blob = this.#blobs.get(digest)
    if (blob !== undefined && (blob.damaged || sha256(blob.bytes) !== digest))
      Object.assign(blob, { bytes, damaged: false })
    if (before === digest) {
      this.#ledger.used(name)
      return { outcome: 'exists', digest, sizeBytes: bytes.length }
    }
    const old = before === undefined ? undefined : this.#blobs.get(before)
    const totals = applied(
      this.#totals,
      {
        addedBytes: blob === undefined ? bytes.length : undefined,
        freedBytes: old?.references === 1 ? old.bytes.length : undefined,
        entries: before === undefined ? 1 : 0,
      },
      this.#quotaBytes,
    )
    const family = familyOf(name.namespace)
    const grownBytes = bytes.length - (old?.bytes.length ?? 0)
    const { quotaBytes = Infinity } = this.#ledger.policyOf(family)
    if (grownBytes > 0 && this.#ledger.usageOf(family).sizeBytes + grownBytes > quotaBytes) return 'family-full'
    if (totals === undefined) return 'store-full'
    this.#totals = totals
    this.#ledger.change(family, before === undefined ? 1 : 0, grownBytes)
    this.#ledger.used(name)
    if (before !== undefined) this.#release(before)
    if (blob === undefined) this.#blobs.set(digest, { bytes, references: 1, damaged: false })
    else blob.references++
    const entries = this.#entries.get(name.namespace) ?? new Map<string, Digest>()
    this.#entries.set(name.namespace, entries.set(name.key, digest))
    return { outcome: before === undefined ? 'created' : 'replaced', digest, sizeBytes: bytes.length }
  }

  /** Size of the blob if this was its last entry. */
  #release(digest: Digest): number | undefined {
    const blob = this.#blobs.get(digest)
    if (blob === undefined || --blob.references > 0) return undefined
    this.#blobs.delete(digest)
    return blob.bytes.length
  }

  #digestOf(name: EntryName): Digest | undefined {
    assertName(name)
    return this.#ledger.isExpired(name) ? undefined : this.#entries.get(name.namespace)?.get(name.key)
  }

  #stat(digest: Digest | undefined): BlobStat | undefined {
    const blob = digest === undefined ? undefined : this.#blobs.get(digest)
    return digest === undefined || blob === undefined ? undefined : { digest, sizeBytes: blob.bytes.length }
  }

  #assertOpen(): void {
    if (this.#closed) throw new NotAppliedError('the store is closed')
  }
}
