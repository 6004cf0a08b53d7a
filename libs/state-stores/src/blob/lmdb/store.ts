import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { LmdbEnvironment } from '../../lmdb-environment.ts'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { beginningOf, nextOf } from '../collect.ts'
import { diskTroubleOf } from '../disk-trouble.ts'
import { sha256 } from '../hash.ts'
import { assertName } from '../name.ts'
import type {
  BlobOptions,
  BlobSource,
  BlobStat,
  BlobStore,
  BlobUsage,
  ByteRange,
  EntryName,
  NewEntry,
  OpenBlob,
  PutOutcome,
  RemoveOutcome,
  ScanPage,
  ScrubOptions,
  ScrubPage,
  SmallEntry,
} from '../port.ts'
import { Catalog, type Changes } from './catalog.ts'
import { packedSmall } from './compression.ts'
import type { BlobFiles } from './files.ts'
import type { Incoming } from './incoming.ts'
import { Ledger } from './ledger.ts'
import { Listing } from './listing.ts'
import { Reader } from './reader.ts'
import type { InlineContent } from './records.ts'
import { ChunkWriter, type WrittenHashes } from './write-chunks.ts'

type Source = Iterable<Uint8Array> | BlobSource

/** Blobs in an environment and the files beside it. */
export class LmdbBlobStore implements BlobStore {
  readonly capabilities = { durable: true, shared: true, lacks: {} }
  readonly inlineBytes = 64 * 1024
  readonly #environment: LmdbEnvironment
  readonly #files: BlobFiles
  readonly #catalog: Catalog
  readonly #ledger: Ledger
  readonly #listing: Listing
  readonly #housekeeping: NodeJS.Timeout
  readonly #reader: Reader
  readonly #quotaBytes: number
  readonly #maxBlobBytes: number
  readonly #compresses: boolean
  #receiving = 0
  #idle = Promise.withResolvers<void>()
  #closed: Promise<void> | undefined

  constructor(environment: LmdbEnvironment, files: BlobFiles, options: BlobOptions) {
    this.#environment = environment
    this.#files = files
    this.#quotaBytes = options.quotaBytes ?? Infinity
    this.#maxBlobBytes = options.maxBlobBytes ?? Infinity
    this.#compresses = options.compression === 'zstd'
    this.#ledger = new Ledger(environment, options.families ?? {}, options.now ?? Date.now)
    this.#catalog = new Catalog(environment, this.#quotaBytes, this.#ledger)
    this.#listing = new Listing(environment, this.#ledger)
    this.#housekeeping = setInterval(() => void this.#keepHouse().catch(() => {}), 60_000).unref()
    this.#reader = new Reader(this.#catalog, files, options.onDamage)
  }

  /** Removes what crashed processes left behind. */
  sweep(): Promise<void> {
    return this.#files.sweep(async (candidates) => {
      await this.#change((changes) => {
        for (const file of candidates) if (!changes.isReferenced(file)) this.#files.unlinkSync(file)
      })
    })
  }

  /** Counts what is there, for the policies of families. */
  adopt(): Promise<void> {
    return this.#catalog.adopt()
  }

  async putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]> {
    const digests = entries.map(({ name, bytes }) => {
      assertName(name)
      return bytes.length > this.inlineBytes ? undefined : sha256(bytes)
    })
    for (const digest of digests) if (digest !== undefined) await this.#reader.intact(digest)
    const contents = entries.map(({ bytes }) => this.#inline(asBuffer(bytes)))
    return this.#change((changes) =>
      entries.map((entry, index): PutOutcome => {
        const { digest: expected, bytes } = entry
        const [digest, content] = [digests[index], contents[index]]
        if (digest === undefined || content === undefined) return { outcome: 'too-large', limitBytes: this.inlineBytes }
        if (expected !== undefined && expected !== digest) return { outcome: 'mismatch', digest }
        return changes.put(entry, digest, bytes.length, content)
      }),
    )
  }

  async put(entry: NewEntry, source: Source, signal?: AbortSignal): Promise<PutOutcome> {
    assertName(entry.name)
    if (this.#closed !== undefined) throw new NotAppliedError('the store is closed')
    this.#receiving++
    try {
      const { bytes, rest } = await beginningOf(source, Math.min(this.inlineBytes, this.#maxBlobBytes), signal)
      if (rest === undefined) return await this.#putOne({ ...entry, bytes })
      try {
        const release = Symbol.asyncIterator in source ? source.release : undefined
        return await this.#receive(entry, bytes, rest, release, signal)
      } finally {
        await rest.return?.()
      }
    } finally {
      if (--this.#receiving === 0) this.#idle.resolve()
    }
  }

  async open(name: EntryName, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    assertName(name)
    const blob = await this.#reader.open(name, range)
    if (blob !== undefined) this.#ledger.touch(name)
    return blob
  }

  peek(name: EntryName): Buffer | undefined {
    assertName(name)
    const bytes = this.#reader.peek(name)
    if (bytes !== undefined) this.#ledger.touch(name)
    return bytes
  }

  async stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    return names.map((name) => {
      assertName(name)
      const found = this.#catalog.find(name)
      return found?.record === undefined ? undefined : { digest: found.digest, sizeBytes: found.record.sizeBytes }
    })
  }

  async remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]> {
    for (const name of names) assertName(name)
    return this.#change((changes) => names.map((name) => changes.remove(name)))
  }

  async scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    assertName({ namespace, key: 'any' })
    return this.#listing.scan(namespace, after, limit)
  }

  async scrub({ after, limit, pace }: ScrubOptions): Promise<ScrubPage> {
    const { digests, next } = this.#listing.digests(after, limit)
    let [sizeBytes, damaged] = [0, 0]
    for (const digest of digests) {
      const found = await this.#reader.scrub(digest, pace)
      // Without a record it was removed meanwhile.
      if (found === 'damaged') damaged++
      else sizeBytes += found?.sizeBytes ?? 0
    }
    return { blobs: digests.length, sizeBytes, damaged, ...(next === undefined ? {} : { next }) }
  }

  async namespaces(): Promise<readonly string[]> {
    return this.#listing.namespaces()
  }

  usage(): BlobUsage {
    return { ...this.#catalog.totals(), quotaBytes: this.#quotaBytes, families: this.#catalog.usage() }
  }

  async check(): Promise<void> {
    this.#environment.check()
    const { path } = this.#environment
    await access(join(path, 'files'), constants.W_OK).catch((cause: unknown) => {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
      throw new Error(`${path} cannot be written (${code}): see to its disk; what is there is read`, { cause })
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What has expired goes, some at a time; a failure is that of the disk, which whoever writes next is told. */
  async #keepHouse(): Promise<void> {
    if (this.#ledger.expiring.length > 0) {
      for (let removed = 1_000; removed >= 1_000;) {
        const { result, released } = await this.#catalog.expire(1_000)
        await Promise.all(released.map((file) => this.#files.unlink(file)))
        removed = result
      }
    }
    while (this.#ledger.touches > 0) await this.#change(() => undefined)
  }

  async #close(): Promise<void> {
    clearInterval(this.#housekeeping)
    this.#idle = Promise.withResolvers()
    if (this.#receiving > 0) await this.#idle.promise
    await this.#environment.close()
    await this.#files.close()
  }

  #inline(bytes: Buffer): InlineContent {
    if (!this.#compresses || bytes.length > this.inlineBytes) return { bytes }
    const packed = packedSmall(bytes)
    return { bytes: packed, zstd: packed !== bytes }
  }

  async #putOne(entry: SmallEntry): Promise<PutOutcome> {
    if (entry.bytes.length > this.#maxBlobBytes) return { outcome: 'too-large', limitBytes: this.#maxBlobBytes }
    const [outcome] = await this.putSmall([entry])
    if (outcome === undefined) throw new OutcomeUnknownError('the store gave no outcome')
    return outcome
  }

  async #receive(
    entry: NewEntry,
    beginning: Buffer,
    rest: AsyncIterator<Uint8Array>,
    release: BlobSource['release'],
    signal: AbortSignal | undefined,
  ): Promise<PutOutcome> {
    const incoming = await this.#files.receive()
    try {
      const writer = new ChunkWriter(incoming, this.#compresses)
      for (let piece: Uint8Array | undefined = beginning; piece !== undefined; piece = await nextOf(rest)) {
        signal?.throwIfAborted()
        await writer.push(piece)
        release?.(piece)
        if (writer.sizeBytes > this.#maxBlobBytes) return { outcome: 'too-large', limitBytes: this.#maxBlobBytes }
      }
      signal?.throwIfAborted()
      const written = await writer.finish()
      const { digest } = written
      if (entry.digest !== undefined && entry.digest !== digest) return { outcome: 'mismatch', digest }
      const seen = await this.#reader.intact(digest)
      const known = seen && (await this.#change((changes) => changes.putExisting(entry, digest, seen)))
      return known ?? (await this.#publish(entry, incoming, written))
    } catch (error) {
      if (error instanceof NotAppliedError && diskTroubleOf(error) === 'full') return { outcome: 'full' }
      throw error
    } finally {
      await incoming.discard()
    }
  }

  /** The file first, durable under its final name; only then the record that names it. */
  async #publish(
    entry: NewEntry,
    incoming: Incoming,
    { digest, sizeBytes, chunks, lengths }: WrittenHashes,
  ): Promise<PutOutcome> {
    const file = await incoming.publish(digest)
    let recorded: boolean | 'unknown' = false
    try {
      return await this.#change((changes) => {
        if (!this.#files.exists(file)) throw new NotAppliedError('the new file was swept away; try again')
        const content = { generation: file.generation, chunks, ...(lengths === undefined ? {} : { lengths }) }
        const outcome = changes.put(entry, digest, sizeBytes, content)
        recorded = changes.isReferenced(file)
        return outcome
      })
    } catch (error) {
      recorded = error instanceof OutcomeUnknownError ? 'unknown' : false
      throw error
    } finally {
      // Another put of the same bytes came first, or the quota is reached, or the commit failed.
      if (recorded === false) await this.#files.unlink(file)
    }
  }

  async #change<Result>(work: (changes: Changes) => Result): Promise<Result> {
    const { result, released } = await this.#catalog.change(work)
    await Promise.all(released.map((file) => this.#files.unlink(file)))
    return result
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
