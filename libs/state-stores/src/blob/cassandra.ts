import { NotAppliedError } from '../outcome.ts'
import { Entries, type Entry } from './cassandra/entries.ts'
import { newGeneration, type Head } from './cassandra/head.ts'
import { Leftovers } from './cassandra/leftovers.ts'
import { notApplied } from './cassandra/outcome.ts'
import { Reader } from './cassandra/reader.ts'
import { scanEntries } from './cassandra/scan.ts'
import { CassandraSession } from './cassandra/session.ts'
import { parseCassandraUrl } from './cassandra/target.ts'
import { Upload } from './cassandra/upload.ts'
import { beginningOf } from './collect.ts'
import { sha256 } from './hash.ts'
import { itemByItem } from './item-by-item.ts'
import { assertName } from './name.ts'
import type {
  BlobCapabilities,
  BlobStat,
  BlobStore,
  ByteRange,
  EntryName,
  NewEntry,
  OpenBlob,
  PutOutcome,
  RemoveOutcome,
  ScanPage,
  SmallEntry,
} from './port.ts'
import { Running } from './running.ts'
import { refuseQuota, type ServerBlobOptions } from './server-options.ts'

export interface CassandraBlobOptions extends ServerBlobOptions {
  /** See `parseCassandraUrl`. */
  readonly url: string
  /** How often generations without an entry are looked for. Default: 1 hour. */
  readonly sweepEveryMs?: number
}

type Source = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const capabilities: BlobCapabilities = {
  durable: true,
  shared: true,
  lacks: {
    'one-copy':
      'counting the names of some bytes takes a transaction over partitions, or counters that no retry may touch',
    usage: 'a sum over all entries would be a scan of the cluster',
    'one-commit': 'entries are partitions of their own, on different nodes',
    policies: 'what the least recently used entry is, or the sum of a family, would be a scan of the cluster',
    scrub: 'reading the whole cluster would compete with its own repair, which compares the replicas',
    namespaces: 'they are not kept apart from the keys: finding them would be a scan of the cluster',
    'exact-outcomes':
      'only a lightweight transaction decides and writes in one step, for four round trips: that is for names that must be new',
  },
}

/**
 * Blobs in Cassandra 4 or later, without lightweight transactions but for puts that are `onlyIfNew`: reads and writes at
 * LOCAL_QUORUM, the later timestamp wins, and every change is later than what it has seen. A put is read back before it is answered, so that it is not
 * shadowed by a tombstone of a clock that is ahead; a removal carries the timestamp of what it saw plus one, so it never
 * takes what was put meanwhile, however late it arrives.
 *
 * Blobs up to 64 KiB are in the row of their name; larger ones in chunks under a generation of their own, written before
 * the row that names it. Durable means: on the commit logs of a quorum; `commitlog_sync: periodic`, Cassandra's default,
 * lets each of them lose 10 s when all lose power or are killed at once, `batch` or `group` does not.
 *
 * A removal is a tombstone: its space comes back after gc_grace_seconds (ten days), for large blobs a day more.
 * Costs: a small put is three round trips, a read one, a removal two.
 */
export async function cassandraBlobStore(options: CassandraBlobOptions): Promise<CassandraBlobStore> {
  const { timeoutMs = 5000 } = options
  const target = parseCassandraUrl(options.url)
  refuseQuota(options, target.label)
  return new CassandraBlobStore(await CassandraSession.open(target, timeoutMs), target.prefix, options)
}

export class CassandraBlobStore implements BlobStore {
  readonly capabilities = capabilities
  readonly inlineBytes = 64 * 1024
  readonly #session: CassandraSession
  readonly #entries: Entries
  readonly #leftovers: Leftovers
  readonly #reader: Reader
  readonly #maxBlobBytes: number
  readonly #running = new Running()
  readonly #sweeper: NodeJS.Timeout
  #sweeping: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(session: CassandraSession, prefix: string, options: CassandraBlobOptions) {
    const { now = Date.now, maxBlobBytes = Infinity, onDamage, sweepEveryMs = 3_600_000 } = options
    this.#session = session
    this.#entries = new Entries(session, prefix, now)
    this.#leftovers = new Leftovers(session, this.#entries, now)
    this.#reader = new Reader(session, this.#entries, onDamage)
    this.#maxBlobBytes = maxBlobBytes
    // Failures mean that the cluster is away, which everybody notices anyway; the next round looks again.
    this.#sweeper = setInterval(() => {
      this.#sweeping = this.sweep().catch(() => {})
    }, sweepEveryMs).unref()
  }

  /** Removes chunks without an entry that are older than a day; returns of how many generations. */
  sweep(): Promise<number> {
    return this.#running.write(() => this.#leftovers.sweep())
  }

  async putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]> {
    for (const { name } of entries) assertName(name)
    return this.#running.write(() =>
      itemByItem(
        entries,
        ({ name }) => name,
        (entry) => this.#putInline(entry, this.inlineBytes),
      ),
    )
  }

  async put(entry: NewEntry, source: Source, signal?: AbortSignal): Promise<PutOutcome> {
    assertName(entry.name)
    return this.#running.write(async () => {
      const { bytes, rest } = await beginningOf(source, Math.min(this.inlineBytes, this.#maxBlobBytes), signal)
      if (rest === undefined) return this.#putInline({ ...entry, bytes }, this.#maxBlobBytes)
      try {
        return await this.#receive(entry, bytes, rest, signal)
      } finally {
        await rest.return?.()
      }
    })
  }

  async open(name: EntryName, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    assertName(name)
    return this.#reader.open(name, range)
  }

  async stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    for (const name of names) assertName(name)
    return Promise.all(
      names.map(async (name) => {
        const entry = await this.#entries.read(name)
        return entry && { digest: entry.digest, sizeBytes: entry.sizeBytes }
      }),
    )
  }

  async remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]> {
    for (const name of names) assertName(name)
    return this.#running.write(() =>
      itemByItem(
        names,
        (name) => name,
        (name) => this.#remove(name),
      ),
    )
  }

  async scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    assertName({ namespace, key: 'any' })
    const [inTable] = this.#entries.key({ namespace, key: '' })
    return scanEntries(this.#session, inTable, after, limit)
  }

  scrub(): undefined {
    return undefined
  }

  namespaces(): undefined {
    return undefined
  }

  usage(): undefined {
    return undefined
  }

  /** Asks a quorum, as every request will. */
  async check(): Promise<void> {
    this.#running.assertOpen()
    await this.#entries.read({ namespace: 'check', key: 'check' })
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeper)
    await this.#running.close()
    await this.#sweeping
    await this.#session.close()
  }

  async #putInline(entry: SmallEntry, limitBytes: number): Promise<PutOutcome> {
    const { name, digest: expected, bytes } = entry
    if (bytes.length > limitBytes) return { outcome: 'too-large', limitBytes }
    const digest = sha256(bytes)
    if (expected !== undefined && expected !== digest) return { outcome: 'mismatch', digest }
    const seen = await this.#before(() => this.#entries.read(name))
    const head = { generation: newGeneration(), chunked: false, sizeBytes: bytes.length, digest }
    return this.#write(entry, head, bytes, seen)
  }

  async #receive(
    entry: NewEntry,
    beginning: Buffer,
    rest: AsyncIterator<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<PutOutcome> {
    const upload = await this.#before(() => Upload.begin(this.#session, this.#leftovers, entry.name))
    let named = false
    try {
      for (let piece: Uint8Array | undefined = beginning; piece !== undefined; piece = await nextOf(rest)) {
        signal?.throwIfAborted()
        if (upload.sizeBytes + piece.length > this.#maxBlobBytes) {
          return { outcome: 'too-large', limitBytes: this.#maxBlobBytes }
        }
        const bytes = piece
        await this.#before(() => upload.write(bytes))
      }
      signal?.throwIfAborted()
      const uploaded = await this.#before(() => upload.finish())
      const { digest } = uploaded
      if (entry.digest !== undefined && entry.digest !== digest) return { outcome: 'mismatch', digest }
      const seen = await this.#before(() => this.#entries.read(entry.name))
      named = true
      const { chunks, ...hashes } = uploaded
      const outcome = await this.#write(entry, { ...hashes, chunked: true }, chunks, seen)
      named = entry.onlyIfNew !== true || outcome.outcome === 'created'
      return outcome
    } catch (error) {
      if (error instanceof NotAppliedError) named = false
      throw error
    } finally {
      if (!named) await upload.discard()
    }
  }

  /** Makes it visible. `seen` is what was there; it goes, unless the entry is only for a name that is free. */
  async #write(entry: NewEntry, head: Head, body: Uint8Array, seen: Entry | undefined): Promise<PutOutcome> {
    const { name, onlyIfNew } = entry
    const { digest, sizeBytes } = head
    if (onlyIfNew === true) {
      const there = seen ?? (await this.#entries.create(name, head, body))
      if (there === undefined) return { outcome: 'created', digest, sizeBytes }
      return there.digest === digest && !there.damaged
        ? { outcome: 'exists', digest, sizeBytes }
        : { outcome: 'taken', digest: there.digest }
    }
    await this.#release(name, seen)
    await this.#entries.write(name, head, body, seen)
    return outcomeOf(seen, digest, sizeBytes)
  }

  async #remove(name: EntryName): Promise<'removed' | 'missing'> {
    const seen = await this.#before(() => this.#entries.read(name))
    if (seen === undefined) return 'missing'
    await this.#release(name, seen)
    await this.#entries.remove(name, seen)
    return 'removed'
  }

  /** Lists the chunks of an entry that is about to go. */
  async #release(name: EntryName, seen: Entry | undefined): Promise<void> {
    if (seen?.chunked === true) await this.#before(() => this.#leftovers.add(name, seen.generation))
  }

  /** What fails before the entry is written has changed nothing that anybody can see. */
  async #before<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw notApplied(error, this.#session.label)
    }
  }
}

function outcomeOf(seen: Entry | undefined, digest: string, sizeBytes: number): PutOutcome {
  const outcome = seen === undefined ? 'created' : seen.digest === digest ? 'exists' : 'replaced'
  return { outcome, digest, sizeBytes }
}

async function nextOf(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const next = await source.next()
  return next.done === true ? undefined : next.value
}
