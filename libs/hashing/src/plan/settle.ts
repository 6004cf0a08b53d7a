import type { Ledger, Taker } from './ledger.ts'

/** Sums of fair shares are not exact in binary; a move must improve by more than their rounding. */
const rounding = 1e-9

interface SingleMove {
  readonly slot: number
  readonly from: Taker
  readonly to: Taker
}

/** A single move that improves the balance: afterwards its receiver is less loaded, by weight, than its giver was before. */
export function improvingMove(ledger: Ledger): SingleMove | undefined {
  return new Settlement(ledger).find()
}

/** Makes improving moves, from the richest first, until there is none. Each lowers the sorted loads, so it ends. */
export function settle(ledger: Ledger): void {
  const settlement = new Settlement(ledger)
  for (let move = settlement.find(); move !== undefined; move = settlement.find()) settlement.make(move)
}

class Settlement {
  readonly #ledger: Ledger
  readonly #slots: Map<Taker, number[]>
  /** Givers known to have no improving move, until they receive a slot: the others only get richer meanwhile. */
  readonly #stuck = new Set<Taker>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    this.#slots = ledger.slotsWithRows()
  }

  find(): SingleMove | undefined {
    const found = this.#search()
    if (found !== undefined || this.#stuck.size === 0) return found
    // A former receiver may have given since, and with unequal weights the poorest is not the only one to ask: ask all again.
    this.#stuck.clear()
    return this.#search()
  }

  #search(): SingleMove | undefined {
    for (let giver = this.#richest(); giver !== undefined; giver = this.#richest()) {
      const move = this.#from(giver)
      if (move !== undefined) return move
      this.#stuck.add(giver)
    }
    return undefined
  }

  make({ slot, from, to }: SingleMove): void {
    this.#ledger.give(slot, to)
    const given = this.#slots.get(from)
    given?.splice(given.indexOf(slot), 1)
    const taken = this.#slots.get(to) ?? []
    const load = this.#ledger.loadOf(slot)
    const at = taken.findIndex((other) => this.#ledger.loadOf(other) < load)
    taken.splice(at === -1 ? taken.length : at, 0, slot)
    this.#stuck.delete(to)
  }

  #richest(): Taker | undefined {
    let richest: Taker | undefined
    for (const taker of this.#ledger.takers) {
      if (this.#stuck.has(taker)) continue
      if (richest === undefined || taker.load / taker.weight > richest.load / richest.weight) richest = taker
    }
    return richest
  }

  #from(giver: Taker): SingleMove | undefined {
    const slots = this.#slots.get(giver) ?? []
    const smallest = slots.at(-1)
    if (smallest === undefined) return undefined
    const least = this.#ledger.loadOf(smallest)
    const limit = giver.load / giver.weight - rounding
    let to: Taker | undefined
    for (const taker of this.#ledger.takers) {
      if (taker === giver || (taker.load + least) / taker.weight >= limit) continue
      if (to === undefined || (taker.load + least) / taker.weight < (to.load + least) / to.weight) to = taker
    }
    if (to === undefined) return undefined
    // The slot that comes closest to levelling the two without tipping the scales, else the smallest.
    const level = (giver.load * to.weight - to.load * giver.weight) / (giver.weight + to.weight)
    const slot = slots.find((candidate) => this.#ledger.loadOf(candidate) <= level) ?? smallest
    return { slot, from: giver, to }
  }
}
