import { mix32, rendezvousScore } from '../rendezvous.ts'
import type { Ledger, Taker } from './ledger.ts'

/** Gives each of `slots`, most rows first, to its best rendezvous choice among those with room, else to the poorest. */
export function placeOrphans(ledger: Ledger, slots: readonly number[]): void {
  const order = slots.toSorted((a, b) => ledger.loadOf(b) - ledger.loadOf(a) || a - b)
  for (const slot of order) ledger.give(slot, firstChoiceWithRoom(ledger, slot) ?? poorestAfter(ledger, slot))
}

function firstChoiceWithRoom(ledger: Ledger, slot: number): Taker | undefined {
  const key = mix32(slot + 1)
  const load = ledger.loadOf(slot)
  let best: Taker | undefined
  let bestScore = Number.POSITIVE_INFINITY
  for (const taker of ledger.takers) {
    if (taker.load + load > taker.share) continue
    const score = rendezvousScore(key, taker.hash, taker.weight)
    if (score < bestScore) {
      best = taker
      bestScore = score
    }
  }
  return best
}

function poorestAfter(ledger: Ledger, slot: number): Taker | undefined {
  const load = ledger.loadOf(slot)
  let best: Taker | undefined
  for (const taker of ledger.takers) {
    if (best === undefined || (taker.load + load) / taker.weight < (best.load + load) / best.weight) best = taker
  }
  return best
}
