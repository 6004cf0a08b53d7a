import { familyOf, isExpired, isTracked, policyOf, type Policies } from '../families.ts'
import type { BlobUsage, EntryName, FamilyPolicy, FamilyUsage } from '../port.ts'

interface Use {
  readonly name: EntryName
  readonly atMs: number
}

/** What each family takes up, and in which order its entries were used. */
export class MemoryLedger {
  readonly #policies: Policies
  readonly #now: () => number
  readonly #usage = new Map<string, FamilyUsage>()
  /** Family -> entries, the least recently used first. */
  readonly #uses = new Map<string, Map<string, Use>>()

  constructor(policies: Policies, now: () => number) {
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

  usageOf(family: string): FamilyUsage {
    return this.#usage.get(family) ?? { entries: 0, sizeBytes: 0 }
  }

  usage(): BlobUsage['families'] {
    return Object.fromEntries([...this.#usage].filter(([, { entries }]) => entries > 0))
  }

  change(family: string, entries: number, sizeBytes: number): void {
    const before = this.usageOf(family)
    this.#usage.set(family, { entries: before.entries + entries, sizeBytes: before.sizeBytes + sizeBytes })
  }

  used(name: EntryName): void {
    const family = familyOf(name.namespace)
    if (!isTracked(this.policyOf(family))) return
    const uses = this.#uses.get(family) ?? new Map<string, Use>()
    this.#uses.set(family, uses)
    uses.delete(idOf(name))
    uses.set(idOf(name), { name, atMs: this.#now() })
  }

  forget(name: EntryName): void {
    this.#uses.get(familyOf(name.namespace))?.delete(idOf(name))
  }

  isExpired(name: EntryName): boolean {
    const family = familyOf(name.namespace)
    const use = this.#uses.get(family)?.get(idOf(name))
    return use !== undefined && isExpired(this.policyOf(family), use.atMs, this.#now())
  }

  /** The least recently used first: of a cache any, of others only what has expired. */
  *candidates(family: string): Generator<Use> {
    const policy = this.policyOf(family)
    for (const use of this.#uses.get(family)?.values() ?? []) {
      if (policy.whenFull === 'keep' && !isExpired(policy, use.atMs, this.#now())) return
      yield use
    }
  }
}

/** A namespace has no slash. */
const idOf = ({ namespace, key }: EntryName): string => `${namespace}/${key}`
