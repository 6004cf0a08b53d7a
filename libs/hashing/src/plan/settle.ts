import { Heap } from './heap.ts'
import type { Holdings } from './holdings.ts'
import type { Ledger } from './ledger.ts'

/** Sums of fair shares are not exact in binary; a move must improve by more than their rounding. */
const rounding = 1e-9

interface SingleMove {
  readonly slot: number
  readonly from: number
  readonly to: number
}

/**
 * Moves one slot at a time from the richest to the poorest while that improves the balance: afterwards its receiver is less
 * loaded, by weight, than its giver was before. Each move lowers the sorted loads, so this ends.
 *
 * Cost: O(log members + log slots) a move; with unequal weights, that times the number of different weights.
 */
export class Settlement {
  readonly #ledger: Ledger
  readonly #holdings: Holdings
  readonly #richest: Heap
  /** The poorest of each weight. */
  readonly #poorest: readonly Heap[]
  readonly #heapOf: readonly Heap[]

  readonly #tolerance: number

  /** @param tolerance pairs that both are within this fraction of their fair share are left alone. */
  constructor(ledger: Ledger, holdings: Holdings, tolerance: number) {
    this.#tolerance = tolerance
    this.#ledger = ledger
    this.#holdings = holdings
    this.#richest = new Heap(ledger.takers.length, (taker) => -ledger.levelOf(taker))
    const heaps = new Map<number, Heap>()
    this.#heapOf = ledger.takers.map(({ weight }, taker) => {
      const heap = heaps.get(weight) ?? new Heap(ledger.takers.length, (other) => ledger.loadOf(other))
      heaps.set(weight, heap)
      heap.put(taker)
      this.#richest.put(taker)
      return heap
    })
    this.#poorest = [...heaps.values()]
  }

  /** Makes moves of at most `budget` rows in all. */
  settle(budget: number): void {
    let left = budget
    for (let move = this.find(left); move !== undefined; move = this.find(left)) {
      left -= this.#ledger.rowsOf(move.slot)
      this.#make(move)
    }
  }

  /** A move that improves, from as rich a giver as there is one. */
  find(budget = Number.POSITIVE_INFINITY): SingleMove | undefined {
    const found = this.#search(budget)
    if (found !== undefined || this.#poorest.length === 1) return found
    // With unequal weights a giver that had no move can have one after others gave: ask all again.
    for (let taker = 0; taker < this.#ledger.takers.length; taker++) this.#richest.put(taker)
    return this.#search(budget)
  }

  /** Givers without a move leave the heap, until they receive a slot: the others only get richer meanwhile. */
  #search(budget: number): SingleMove | undefined {
    for (let giver = this.#richest.first; giver !== undefined; giver = this.#richest.first) {
      const move = this.#from(giver, budget)
      if (move !== undefined) return move
      this.#richest.remove(giver)
    }
    return undefined
  }

  #from(giver: number, budget: number): SingleMove | undefined {
    const ledger = this.#ledger
    const smallest = this.#holdings.smallestOf(giver)
    if (smallest === undefined || ledger.rowsOf(smallest) > budget) return undefined
    const to = this.#receiverFor(giver, ledger.rowsOf(smallest))
    if (to === undefined || (this.#isNearShare(giver) && this.#isNearShare(to))) return undefined
    // The largest slot that leaves the giver its share, else what comes closest to levelling the two, else the smallest.
    const weight = ledger.weightOf(giver) + ledger.weightOf(to)
    const level = (ledger.loadOf(giver) * ledger.weightOf(to) - ledger.loadOf(to) * ledger.weightOf(giver)) / weight
    const most = Math.min(level, budget)
    const excess = Math.ceil(ledger.loadOf(giver) - ledger.shareOf(giver))
    const slot =
      this.#holdings.largestUpTo(giver, Math.min(most, excess)) ?? this.#holdings.largestUpTo(giver, most) ?? smallest
    return { slot, from: giver, to }
  }

  #isNearShare(taker: number): boolean {
    const share = this.#ledger.shareOf(taker)
    return Math.abs(this.#ledger.loadOf(taker) - share) <= this.#tolerance * share
  }

  /** Who is least loaded, by weight, after taking `rows`; undefined when that is no better than the giver is now. */
  #receiverFor(giver: number, rows: number): number | undefined {
    const ledger = this.#ledger
    let best: number | undefined
    let bestLevel = ledger.levelOf(giver) - rounding
    for (const heap of this.#poorest) {
      const taker = heap.first
      if (taker === undefined || taker === giver) continue
      const level = (ledger.loadOf(taker) + rows) / ledger.weightOf(taker)
      if (level < bestLevel) {
        best = taker
        bestLevel = level
      }
    }
    return best
  }

  #make({ slot, from, to }: SingleMove): void {
    this.#holdings.move(slot, from, to)
    for (const taker of [from, to]) {
      this.#heapOf[taker]?.put(taker)
      if (taker === to || this.#richest.has(taker)) this.#richest.put(taker)
    }
  }
}
