import type { Member } from './member.ts'

export const nobody = -1

/**
 * The books of one planning run: who owns which slot, and how many rows each member holds. Members are numbers here, their
 * place in `takers`, and everything per slot is a typed array: a million slots take 10 MB.
 */
export class Ledger {
  readonly takers: readonly Member[]
  /** Rows in each slot. */
  readonly rows: ArrayLike<number>
  readonly owners: Int32Array
  readonly weights: Float64Array
  /** Rows each taker should hold. */
  readonly shares: Float64Array
  /** Rows each taker holds. Only `give` changes it. */
  readonly loads: Float64Array
  readonly ownersBefore: Int32Array
  readonly loadsBefore: Float64Array
  readonly total: number

  constructor(previous: readonly (string | undefined)[], takers: readonly Member[], rows: ArrayLike<number>) {
    const numbers = new Map<string | undefined, number>(takers.map(({ name }, i) => [name, i]))
    this.takers = takers
    this.rows = rows
    this.owners = new Int32Array(previous.length)
    this.loads = new Float64Array(takers.length)
    let total = 0
    for (let slot = 0; slot < previous.length; slot++) {
      const name = previous[slot]
      const owner = name === undefined ? nobody : (numbers.get(name) ?? nobody)
      const load = this.rowsOf(slot)
      this.owners[slot] = owner
      if (owner !== nobody) this.loads[owner] = this.loadOf(owner) + load
      total += load
    }
    this.total = total
    this.ownersBefore = this.owners.slice()
    this.loadsBefore = this.loads.slice()
    this.weights = Float64Array.from(takers, ({ weight }) => weight)
    const totalWeight = this.weights.reduce((sum, weight) => sum + weight, 0)
    this.shares = this.weights.map((weight) => (total * weight) / totalWeight)
  }

  rowsOf(slot: number): number {
    return this.rows[slot] ?? 0
  }

  ownerOf(slot: number): number {
    return this.owners[slot] ?? nobody
  }

  loadOf(taker: number): number {
    return this.loads[taker] ?? 0
  }

  shareOf(taker: number): number {
    return this.shares[taker] ?? 0
  }

  weightOf(taker: number): number {
    return this.weights[taker] ?? 1
  }

  /** Load by weight: what is to be levelled. */
  levelOf(taker: number): number {
    return this.loadOf(taker) / this.weightOf(taker)
  }

  /** Slots without an owner, in order. */
  ownerless(): Int32Array {
    let count = 0
    for (const owner of this.owners) if (owner === nobody) count++
    const slots = new Int32Array(count)
    for (let slot = this.owners.length - 1; slot >= 0; slot--) if (this.ownerOf(slot) === nobody) slots[--count] = slot
    return slots
  }

  hasMoved(slot: number): boolean {
    return this.owners[slot] !== this.ownersBefore[slot]
  }

  give(slot: number, to: number): void {
    const from = this.ownerOf(slot)
    const rows = this.rowsOf(slot)
    if (from !== nobody) this.loads[from] = this.loadOf(from) - rows
    if (to !== nobody) this.loads[to] = this.loadOf(to) + rows
    this.owners[slot] = to
  }

  /** Largest load over its fair share. */
  maxOverMean(): number {
    if (this.total === 0 || this.takers.length === 0) return 1
    return this.loads.reduce((max, load, taker) => Math.max(max, load / this.shareOf(taker)), 0)
  }
}
