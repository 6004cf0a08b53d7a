import type { LmdbEnvironment, LmdbTable } from '../../lmdb-environment.ts'
import { NotAppliedError } from '../../outcome.ts'
import { sha256 } from '../hash.ts'
import type { Digest, BlobUsage, EntryName, NewEntry, PutOutcome, RemoveOutcome } from '../port.ts'
import { familyOf } from '../families.ts'
import { applied, noTotals, type Totals } from '../quota.ts'
import type { Ledger } from './ledger.ts'
import { readCurrent } from './read-current.ts'
import * as records from './records.ts'
import type { FileContent, InlineContent, Record } from './records.ts'

/** A file that no entry leads to any more; to be unlinked after the commit. */
export interface Released {
  readonly digest: Digest
  readonly generation: string
}

export interface Found {
  readonly digest: Digest
  readonly record: Record | undefined
}

/** What is changed within one write transaction. */
export interface Changes {
  /** Leads the name to these bytes, and to the copy that is there unless it is known to be damaged. */
  put(entry: NewEntry, digest: Digest, sizeBytes: number, content: InlineContent | FileContent): PutOutcome
  /** Leads the name to the copy that was `seen`; undefined when it is not there any more. */
  putExisting(entry: NewEntry, digest: Digest, seen: Record): PutOutcome | undefined
  remove(name: EntryName): RemoveOutcome
  /** True when the record was still that of `seen`. */
  markDamaged(digest: Digest, seen: Record): boolean
  /** Whether a file is what the digest's record names. */
  isReferenced(file: Released): boolean
}

/**
 * Names, blobs with their reference counts, and the totals: the decisions of every put and remove, each taken inside
 * the write transaction that carries it out.
 */
export class Catalog {
  readonly #environment: LmdbEnvironment
  readonly #entries: LmdbTable
  readonly #blobs: LmdbTable
  readonly #counts: LmdbTable
  readonly #quotaBytes: number
  readonly #ledger: Ledger

  constructor(environment: LmdbEnvironment, quotaBytes: number, ledger: Ledger) {
    this.#environment = environment
    this.#entries = environment.table('entries')
    this.#blobs = environment.table('blobs')
    this.#counts = environment.table('totals')
    this.#quotaBytes = quotaBytes
    this.#ledger = ledger
  }

  /** Current over all processes. */
  find(name: EntryName): Found | undefined {
    return readCurrent(this.#environment, () => {
      const digest = this.#digestOf(name)
      return digest === undefined || this.#ledger.isExpired(name) ? undefined : { digest, record: this.#record(digest) }
    })
  }

  /** Current over all processes. */
  blob(digest: Digest): Record | undefined {
    return readCurrent(this.#environment, () => this.#record(digest))
  }

  /** As `blob`, for a change that follows: `NotAppliedError` where there can be none. */
  recordOf(digest: Digest): Record | undefined {
    try {
      this.#environment.check()
    } catch (cause) {
      throw new NotAppliedError(cause instanceof Error ? cause.message : String(cause), { cause, wholeStore: true })
    }
    return this.blob(digest)
  }

  totals(): Totals {
    const value = readCurrent(this.#environment, () => this.#counts.get(totalsKey))
    return value === undefined ? noTotals : records.decodeTotals(value)
  }

  /** One durable transaction; resolves with the result and the files that it released. */
  change<Result>(work: (changes: Changes) => Result): Promise<{ result: Result; released: readonly Released[] }> {
    return this.#environment.transact(() => {
      const stored = this.#counts.get(totalsKey)
      const state: State = { totals: stored === undefined ? noTotals : records.decodeTotals(stored), released: [] }
      const { totals } = state
      this.#ledger.begin()
      const result = work({
        put: (entry, digest, sizeBytes, content) => this.#put(state, entry, digest, sizeBytes, content),
        putExisting: (entry, digest, { content }) => {
          const record = this.#record(digest)
          if (record === undefined || record.damaged) return undefined
          if ('generation' in content && !isFile(record, content.generation)) return undefined
          return this.#put(state, entry, digest, record.sizeBytes, record.content)
        },
        remove: (name) => {
          const expired = this.#ledger.isExpired(name)
          const outcome = this.#remove(state, name)
          return expired ? 'missing' : outcome
        },
        markDamaged: (digest, seen) => this.#markDamaged(digest, seen),
        isReferenced: ({ digest, generation }) => isFile(this.#record(digest), generation),
      })
      if (state.totals !== totals) this.#counts.put(totalsKey, records.encodeTotals(state.totals))
      this.#ledger.finish()
      return { result, released: state.released }
    })
  }

  /** By family; current over all processes. */
  usage(): BlobUsage['families'] {
    return readCurrent(this.#environment, () => this.#ledger.usage())
  }

  /** Counts and orders what is there already, where that was not done yet. */
  async adopt(): Promise<void> {
    this.#environment.refresh()
    if (this.#ledger.isAdopted) return
    await this.#environment.transact(() => this.#ledger.adopt(() => this.#all()))
  }

  /** Removes what has expired, up to `limit` entries of each family; returns how many. */
  async expire(limit: number): Promise<{ result: number; released: readonly Released[] }> {
    return this.change((changes) => {
      const names = this.#ledger.expiring.flatMap((family) => this.#ledger.expired(family, limit))
      for (const name of names) changes.remove(name)
      return names.length
    })
  }

  *#all(): Generator<{ readonly name: EntryName; readonly sizeBytes: number }> {
    for (const { key, value } of this.#entries.range()) {
      const name = records.nameOf(key)
      yield { name, sizeBytes: this.#record(records.decodeEntry(name.key, value))?.sizeBytes ?? 0 }
    }
    for (const { key, value } of this.#blobs.range()) {
      const { home, sizeBytes } = records.decodeRecord(value)
      if (home) yield { name: records.homeEntry(key.toString('hex')), sizeBytes }
    }
  }

  #put(
    state: State,
    { name, onlyIfNew }: NewEntry,
    digest: Digest,
    sizeBytes: number,
    content: InlineContent | FileContent,
  ): PutOutcome {
    if (this.#ledger.isExpired(name)) this.#remove(state, name)
    const taken = onlyIfNew === true ? this.#digestOf(name) : undefined
    if (taken !== undefined && (taken !== digest || this.#record(taken)?.damaged !== false)) {
      return { outcome: 'taken', digest: taken }
    }
    for (;;) {
      const outcome = this.#putWithin(state, name, digest, sizeBytes, content)
      if (typeof outcome === 'object') return outcome
      if (!this.#makeRoom(state, outcome, name, digest, sizeBytes)) return { outcome: 'full' }
    }
  }

  /** Takes one entry away, the least recently used that may go; false when that could not help. */
  #makeRoom(state: State, full: Full, name: EntryName, digest: Digest, sizeBytes: number): boolean {
    const own = familyOf(name.namespace)
    if (sizeBytes > (this.#ledger.policyOf(own).quotaBytes ?? Infinity)) return false
    const { yielding } = this.#ledger
    const yieldedBytes = yielding.reduce((bytes, family) => bytes + this.#ledger.usageOf(family).sizeBytes, 0)
    // Not even if all of it went.
    if (state.totals.sizeBytes - yieldedBytes + sizeBytes > this.#quotaBytes) return false
    const families = full === 'family-full' ? [own] : yielding
    // Not the bytes that are being put: what is known of them would no longer hold.
    const oldest = this.#ledger.oldest(families, (candidate) => this.#digestOf(candidate) === digest)
    return oldest !== undefined && this.#remove(state, oldest) === 'removed'
  }

  #putWithin(
    state: State,
    name: EntryName,
    digest: Digest,
    sizeBytes: number,
    content: InlineContent | FileContent,
  ): PutOutcome | Full {
    const family = familyOf(name.namespace)
    const known = this.#record(digest)
    const atHome = records.isHome(name) && name.key === digest
    const before = !atHome ? this.#digestOf(name) : known?.home === true ? digest : this.#entryOf(name)
    const healthy = known?.damaged === false
    if (before === digest && healthy) {
      this.#ledger.used(name)
      return { outcome: 'exists', digest, sizeBytes }
    }
    const replaced = before === undefined || before === digest ? undefined : this.#record(before)
    const totals = applied(
      state.totals,
      {
        addedBytes: known === undefined ? sizeBytes : undefined,
        freedBytes: replaced?.references === 1 ? replaced.sizeBytes : undefined,
        entries: before === undefined ? 1 : 0,
      },
      this.#quotaBytes,
    )
    const grownBytes = before === digest ? 0 : sizeBytes - (replaced?.sizeBytes ?? 0)
    const { quotaBytes = Infinity } = this.#ledger.policyOf(family)
    if (grownBytes > 0 && this.#ledger.usageOf(family).sizeBytes + grownBytes > quotaBytes) return 'family-full'
    if (totals === undefined) return 'store-full'
    if (before !== digest) this.#ledger.change(family, before === undefined ? 1 : 0, grownBytes)
    this.#ledger.used(name)
    state.totals = totals
    if (replaced !== undefined && before !== undefined) this.#release(state, name, before, replaced)
    const references = (known?.references ?? 0) + (before === digest ? 0 : 1)
    const kept = healthy ? known.content : content
    const home = known?.home === true || (atHome && before !== digest)
    this.#blobs.put(
      Buffer.from(digest, 'hex'),
      records.encodeRecord({ references, sizeBytes, damaged: false, home, content: kept }),
    )
    if (before === digest) return { outcome: 'exists', digest, sizeBytes }
    if (!atHome) this.#entries.put(records.entryKey(name), records.encodeEntry(name.key, digest))
    else if (before !== undefined) this.#entries.remove(records.entryKey(name))
    return { outcome: before === undefined ? 'created' : 'replaced', digest, sizeBytes }
  }

  #remove(state: State, name: EntryName): RemoveOutcome {
    const digest = this.#digestOf(name)
    if (digest === undefined) return 'missing'
    this.#entries.remove(records.entryKey(name))
    const record = this.#record(digest)
    this.#ledger.forget(name)
    this.#ledger.change(familyOf(name.namespace), -1, -(record?.sizeBytes ?? 0))
    const freedBytes = record?.references === 1 ? record.sizeBytes : undefined
    state.totals = applied(state.totals, { addedBytes: undefined, freedBytes, entries: -1 }, Infinity) ?? state.totals
    if (record !== undefined) this.#release(state, name, digest, record)
    return 'removed'
  }

  #release(state: State, name: EntryName, digest: Digest, record: Record): void {
    const key = Buffer.from(digest, 'hex')
    if (record.references > 1) {
      const home = record.home && !(records.isHome(name) && name.key === digest)
      this.#blobs.put(key, records.encodeRecord({ ...record, home, references: record.references - 1 }))
      return
    }
    this.#blobs.remove(key)
    if ('generation' in record.content) state.released.push({ digest, generation: record.content.generation })
  }

  #markDamaged(digest: Digest, seen: Record): boolean {
    const record = this.#record(digest)
    if (record === undefined || record.damaged) return false
    if ('generation' in seen.content && !isFile(record, seen.content.generation)) return false
    // Somebody brought the bytes again since they were seen.
    if ('bytes' in record.content) {
      const bytes = records.inlineBytes(record.content, record.sizeBytes)
      if (bytes !== undefined && sha256(bytes) === digest) return false
    }
    this.#blobs.put(Buffer.from(digest, 'hex'), records.encodeRecord({ ...record, damaged: true }))
    return true
  }

  #digestOf(name: EntryName): Digest | undefined {
    return records.isHome(name) && this.#record(name.key)?.home === true ? name.key : this.#entryOf(name)
  }

  #entryOf(name: EntryName): Digest | undefined {
    const value = this.#entries.get(records.entryKey(name))
    return value === undefined ? undefined : records.decodeEntry(name.key, value)
  }

  #record(digest: Digest): Record | undefined {
    const value = this.#blobs.get(Buffer.from(digest, 'hex'))
    return value === undefined ? undefined : records.decodeRecord(value)
  }
}

/** What a put does not fit into. */
type Full = 'family-full' | 'store-full'

interface State {
  totals: Totals
  readonly released: Released[]
}

const totalsKey = Buffer.from('totals')

function isFile(record: Record | undefined, generation: string): boolean {
  return record !== undefined && 'generation' in record.content && record.content.generation === generation
}
