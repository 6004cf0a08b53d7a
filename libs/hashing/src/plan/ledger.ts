import { hash32 } from '../rendezvous.ts'

export interface Member {
  readonly name: string
  /** Share of the rows relative to the other members; above 0. */
  readonly weight: number
  /** Gives everything away and takes nothing. */
  readonly draining: boolean
}

/** A member that takes rows, with what it holds now. Only `Ledger.give` changes `load`. */
export interface Taker {
  readonly name: string
  readonly hash: number
  readonly weight: number
  /** Rows it should hold. */
  readonly share: number
  load: number
}

/** The books of one planning run: who owns which slot, and how many rows each member holds. */
export class Ledger {
  readonly previous: readonly (string | undefined)[]
  readonly takers: readonly Taker[]
  /** Slots whose previous owner is gone or draining, in slot order. */
  readonly orphans: readonly number[]
  /** Takers that owned no slot in the previous plan. */
  readonly newcomers: readonly Taker[]
  readonly total: number
  /** What each taker held before this run. */
  readonly loadsBefore: ReadonlyMap<Taker, number>
  readonly #loads: ArrayLike<number>
  readonly #owners: (Taker | undefined)[]
  readonly #drainingNames: ReadonlySet<string>

  constructor(previous: readonly (string | undefined)[], members: readonly Member[], loads: ArrayLike<number>) {
    const names = new Set(members.map((member) => member.name))
    if (names.size !== members.length) throw new RangeError('two members have the same name')
    const unfit = members.find((member) => !(member.weight > 0 && Number.isFinite(member.weight)))
    if (unfit !== undefined) throw new RangeError(`the weight of ${unfit.name} must be above 0, not ${unfit.weight}`)

    const takers = members.filter((member) => !member.draining).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const draining = new Set(members.filter((member) => member.draining).map((member) => member.name))
    const totalWeight = takers.reduce((sum, { weight }) => sum + weight, 0)
    let total = 0
    for (let slot = 0; slot < loads.length; slot++) total += loads[slot] ?? 0
    const byName = new Map<string, Taker>()
    for (const { name, weight } of takers) {
      byName.set(name, { name, hash: hash32(name), weight, share: (total * weight) / totalWeight, load: 0 })
    }

    const orphans: number[] = []
    const owning = new Set<Taker>()
    this.#owners = previous.map((name, slot) => {
      const owner = name === undefined ? undefined : byName.get(name)
      if (owner === undefined) {
        orphans.push(slot)
      } else {
        owning.add(owner)
        owner.load += loads[slot] ?? 0
      }
      return owner
    })
    this.previous = previous
    this.#loads = loads
    this.#drainingNames = draining
    this.takers = [...byName.values()]
    this.orphans = orphans
    this.newcomers = this.takers.filter((taker) => !owning.has(taker))
    this.total = total
    this.loadsBefore = new Map(this.takers.map((taker) => [taker, taker.load]))
  }

  loadOf(slot: number): number {
    return this.#loads[slot] ?? 0
  }

  ownerOf(slot: number): Taker | undefined {
    return this.#owners[slot]
  }

  give(slot: number, to: Taker | undefined): void {
    const from = this.#owners[slot]
    const load = this.loadOf(slot)
    if (from !== undefined) from.load -= load
    if (to !== undefined) to.load += load
    this.#owners[slot] = to
  }

  /** Slots of each taker that have rows, most rows first, then by number. */
  slotsWithRows(): Map<Taker, number[]> {
    const slots = new Map<Taker, number[]>(this.takers.map((taker) => [taker, []]))
    for (const [slot, owner] of this.#owners.entries()) {
      if (owner !== undefined && this.loadOf(slot) > 0) slots.get(owner)?.push(slot)
    }
    for (const list of slots.values()) list.sort((a, b) => this.loadOf(b) - this.loadOf(a) || a - b)
    return slots
  }

  ownerNames(): (string | undefined)[] {
    return this.#owners.map((owner, slot) => {
      if (owner !== undefined) return owner.name
      const name = this.previous[slot]
      return name !== undefined && this.#drainingNames.has(name) ? name : undefined
    })
  }

  maxOverMean(): number {
    if (this.total === 0) return 1
    return this.takers.reduce((max, taker) => Math.max(max, taker.load / taker.share), this.takers.length === 0 ? 1 : 0)
  }
}
