import type { LmdbEnvironment, LmdbTable } from '../../lmdb-environment.ts'
import { familyOf, isExpired, isTracked, policyOf, type Policies } from '../families.ts'
import type { BlobUsage, EntryName, FamilyPolicy, FamilyUsage } from '../port.ts'
import * as records from './family-records.ts'
import { entryKey, nameOf } from './records.ts'

/** An entry that may go, and since when nobody has used it. */
interface Candidate {
  readonly name: EntryName
  readonly usedAtMs: number
}

/** Reads move an entry to the end of the order only after this long, so that a hot one is not written for each. */
const resolutionMs = 60_000

/** What each family takes up, and which of its entries was used last. Changes only inside `transact`. */
export class Ledger {
  readonly #families: LmdbTable
  readonly #uses: LmdbTable
  readonly #order: LmdbTable
  readonly #policies: Policies
  readonly #now: () => number
  readonly #touched = new Map<string, EntryName>()
  /** Of the running transaction, so that a batch writes each family once. */
  readonly #changed = new Map<string, FamilyUsage>()

  constructor(environment: LmdbEnvironment, policies: Policies, now: () => number) {
    this.#families = environment.table('families')
    this.#uses = environment.table('uses')
    this.#order = environment.table('order')
    this.#policies = policies
    this.#now = now
  }

  policyOf(family: string): FamilyPolicy {
    return policyOf(this.#policies, family)
  }

  /** Whose entries may go when the store is full. */
  get yielding(): readonly string[] {
    return Object.keys(this.#policies).filter((family) => isTracked(this.policyOf(family)))
  }

  get expiring(): readonly string[] {
    return Object.keys(this.#policies).filter((family) => this.policyOf(family).ttlMs !== undefined)
  }

  usageOf(family: string): FamilyUsage {
    const changed = this.#changed.get(family)
    if (changed !== undefined) return changed
    const value = this.#families.get(records.familyKey(family))
    return value === undefined ? { entries: 0, sizeBytes: 0 } : records.decodeUsage(value)
  }

  usage(): BlobUsage['families'] {
    const range = { start: Buffer.from([0]), end: Buffer.from([1]) }
    const all = Array.from(
      this.#families.range(range),
      ({ key, value }) => [key.toString('utf8', 1), records.decodeUsage(value)] as const,
    )
    return Object.fromEntries(all.filter(([, { entries }]) => entries > 0))
  }

  isExpired(name: EntryName): boolean {
    const policy = this.policyOf(familyOf(name.namespace))
    if (policy.ttlMs === undefined) return false
    const use = this.#uses.get(entryKey(name))
    return use !== undefined && isExpired(policy, records.decodeUse(use), this.#now())
  }

  change(family: string, entries: number, sizeBytes: number): void {
    const usage = this.usageOf(family)
    this.#changed.set(family, { entries: usage.entries + entries, sizeBytes: usage.sizeBytes + sizeBytes })
  }

  /** First in a transaction; one that was rolled back leaves nothing for the next. */
  begin(): void {
    this.#changed.clear()
    this.#applyTouches()
  }

  /** Last in a transaction. */
  finish(): void {
    for (const [family, usage] of this.#changed)
      this.#families.put(records.familyKey(family), records.encodeUsage(usage))
    this.#changed.clear()
  }

  used(name: EntryName): void {
    const family = familyOf(name.namespace)
    if (!isTracked(this.policyOf(family))) return
    const entry = entryKey(name)
    this.forget(name)
    const nowMs = this.#now()
    this.#uses.put(entry, records.encodeUse(nowMs))
    this.#order.put(records.orderKey(family, nowMs, entry), records.present)
  }

  forget(name: EntryName): void {
    const entry = entryKey(name)
    const use = this.#uses.get(entry)
    if (use === undefined) return
    this.#uses.remove(entry)
    this.#order.remove(records.orderKey(familyOf(name.namespace), records.decodeUse(use), entry))
  }

  /** Of these families' entries the least recently used that may go, and is not to be passed over. */
  oldest(families: readonly string[], passOver: (name: EntryName) => boolean): EntryName | undefined {
    let oldest: Candidate | undefined
    for (const family of families) {
      for (const candidate of this.#candidates(family)) {
        if (passOver(candidate.name)) continue
        if (oldest === undefined || candidate.usedAtMs < oldest.usedAtMs) oldest = candidate
        break
      }
    }
    return oldest?.name
  }

  /** The least recently used first: of a cache any, of others only what has expired. */
  *#candidates(family: string): Generator<Candidate> {
    const policy = this.policyOf(family)
    const range = records.orderRange(family)
    let { start } = range
    // Nearly always the first one is taken.
    for (const limit of [4, 1_000]) {
      for (const { key } of Array.from(this.#order.range({ start, end: range.end, limit }))) {
        const { usedAtMs, entry } = records.decodeOrder(family, key)
        if (policy.whenFull === 'keep' && !isExpired(policy, usedAtMs, this.#now())) return
        yield { name: nameOf(entry), usedAtMs }
        start = Buffer.concat([key, Buffer.from([0])])
      }
    }
  }

  /** Those whose time is over; at most `limit`. */
  expired(family: string, limit: number): readonly EntryName[] {
    const policy = this.policyOf(family)
    const found = Array.from(this.#order.range({ ...records.orderRange(family), limit }), ({ key }) =>
      records.decodeOrder(family, key),
    )
    return found.filter(({ usedAtMs }) => isExpired(policy, usedAtMs, this.#now())).map(({ entry }) => nameOf(entry))
  }

  /** Remembers a read, to be written with the next change. */
  touch(name: EntryName): void {
    if (this.policyOf(familyOf(name.namespace)).whenFull === 'keep') return
    const key = entryKey(name)
    const use = this.#uses.get(key)
    if (use !== undefined && this.#now() - records.decodeUse(use) < resolutionMs) return
    if (this.#touched.size < 100_000) this.#touched.set(key.toString('latin1'), name)
  }

  get touches(): number {
    return this.#touched.size
  }

  /** Writes what was read; some at a time, for others wait for the same transaction. */
  #applyTouches(): void {
    let left = 500
    for (const [key, name] of this.#touched) {
      if (left-- === 0) return
      this.#touched.delete(key)
      // Removed since, by whomever.
      if (this.#uses.get(entryKey(name)) !== undefined) this.used(name)
    }
  }

  /**
   * Counts what was stored before there were families, and makes an order for families that had none, as if all of
   * it had been used now. `all` gives every entry with its size; it is read only when that is needed.
   */
  adopt(all: () => Iterable<{ readonly name: EntryName; readonly sizeBytes: number }>): void {
    const counted = this.#families.get(records.countedKey) !== undefined
    const tracked = Object.keys(this.#policies).filter((family) => isTracked(this.policyOf(family)))
    const fresh = tracked.filter((family) => this.#families.get(records.trackedKey(family)) === undefined)
    // A family without an order now gets one anew, should it need one again.
    for (const { key } of Array.from(this.#families.range({ start: Buffer.from([1]), end: Buffer.from([2]) }))) {
      if (!tracked.includes(key.toString('utf8', 1))) this.#families.remove(key)
    }
    if (!counted || fresh.length > 0) {
      for (const { name, sizeBytes } of all()) {
        const family = familyOf(name.namespace)
        if (!counted) this.change(family, 1, sizeBytes)
        if (fresh.includes(family)) this.used(name)
      }
    }
    this.finish()
    if (!counted) this.#families.put(records.countedKey, records.present)
    for (const family of fresh) this.#families.put(records.trackedKey(family), records.present)
  }

  /** Whether `adopt` has anything to do. */
  get isAdopted(): boolean {
    if (this.#families.get(records.countedKey) === undefined) return false
    const marked = Array.from(this.#families.range({ start: Buffer.from([1]), end: Buffer.from([2]) }), ({ key }) =>
      key.toString('utf8', 1),
    )
    const tracked = Object.keys(this.#policies).filter((family) => isTracked(this.policyOf(family)))
    return marked.toSorted().join() === tracked.toSorted().join()
  }
}
