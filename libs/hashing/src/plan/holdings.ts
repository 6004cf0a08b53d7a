import { type Ledger, nobody } from './ledger.ts'
import { byRows } from './order.ts'

/**
 * Each taker's slots that have rows, most rows first, kept in that order while slots change hands. A taker's slots are sorted
 * when they are first asked for: most plans touch few takers.
 */
export class Holdings {
  readonly #ledger: Ledger
  /** Slots by owner, as of now: those of a taker are from its start to the next one's. */
  readonly #slots: Int32Array
  readonly #starts: Int32Array
  readonly #held: (number[] | undefined)[]

  /** @param includes which slots count; the others stay where they are. */
  constructor(ledger: Ledger, includes: (slot: number) => boolean = () => true) {
    const takers = ledger.takers.length
    const owners = ledger.owners.map((owner, slot) => (ledger.rowsOf(slot) > 0 && includes(slot) ? owner : nobody))
    const starts = new Int32Array(takers + 1)
    for (const owner of owners) if (owner !== nobody) starts[owner + 1] = (starts[owner + 1] ?? 0) + 1
    for (let taker = 0; taker < takers; taker++) starts[taker + 1] = (starts[taker + 1] ?? 0) + (starts[taker] ?? 0)
    const ends = starts.slice()
    this.#slots = new Int32Array(starts[takers] ?? 0)
    for (let slot = 0; slot < owners.length; slot++) {
      const owner = owners[slot] ?? nobody
      if (owner === nobody) continue
      const end = ends[owner] ?? 0
      this.#slots[end] = slot
      ends[owner] = end + 1
    }
    this.#ledger = ledger
    this.#starts = starts
    this.#held = Array.from({ length: takers }, () => undefined)
  }

  /** Most rows first, then by number. */
  slotsOf(taker: number): readonly number[] {
    return this.#heldBy(taker)
  }

  /** The slot with fewest rows. Sorts nothing. */
  smallestOf(taker: number): number | undefined {
    const held = this.#held[taker]
    if (held !== undefined) return held.at(-1)
    let smallest: number | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (let place = this.#starts[taker] ?? 0; place < (this.#starts[taker + 1] ?? 0); place++) {
      const slot = this.#slots[place] ?? 0
      const rows = this.#ledger.rowsOf(slot)
      if (rows > fewest) continue
      smallest = slot
      fewest = rows
    }
    return smallest
  }

  /** The slot with most rows, but not more than `rows`. */
  largestUpTo(taker: number, rows: number): number | undefined {
    const held = this.#heldBy(taker)
    return held[firstIndex(held, (slot) => this.#ledger.rowsOf(slot) <= rows)]
  }

  move(slot: number, from: number, to: number): void {
    const given = this.#heldBy(from)
    given.splice(this.#placeOf(slot, given), 1)
    const taken = this.#heldBy(to)
    taken.splice(this.#placeOf(slot, taken), 0, slot)
    this.#ledger.give(slot, to)
  }

  #heldBy(taker: number): number[] {
    const known = this.#held[taker]
    if (known !== undefined) return known
    const ledger = this.#ledger
    const slots = this.#slots.subarray(this.#starts[taker], this.#starts[taker + 1])
    const held = [...byRows(slots, (slot) => ledger.rowsOf(slot))]
    this.#held[taker] = held
    return held
  }

  #placeOf(slot: number, held: readonly number[]): number {
    const rows = this.#ledger.rowsOf(slot)
    return firstIndex(held, (other) => {
      const difference = this.#ledger.rowsOf(other) - rows
      return difference < 0 || (difference === 0 && other >= slot)
    })
  }
}

/** Index of the first element for which `isTrue`, which stays true from there on. */
function firstIndex(sorted: readonly number[], isTrue: (element: number) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrue(sorted[middle] ?? 0)) high = middle
    else low = middle + 1
  }
  return low
}
