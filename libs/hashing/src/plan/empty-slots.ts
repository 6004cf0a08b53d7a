import { mix32, rendezvousScore } from '../rendezvous.ts'
import type { Ledger, Taker } from './ledger.ts'

/**
 * A newcomer takes the slots without rows that rendezvous hashing gives it: its share of them, and nobody else's move. It
 * costs no row a move, and leaves the rows to come evenly spread.
 *
 * Whoever is left without any slot by that counts as a newcomer at once. A slot that went to its rendezvous choice never moves
 * again, so this ends, and planning again finds nobody to invite.
 *
 * Cost: O(slots without rows * log members) per newcomer, since most comparisons stop early.
 */
export function inviteToEmptySlots(ledger: Ledger): void {
  const invited = new Set<Taker>()
  let round: readonly Taker[] = [...new Set([...ledger.newcomers, ...withoutSlot(ledger)])]
  while (round.length > 0) {
    for (const newcomer of round) {
      invited.add(newcomer)
      takeEmptySlots(ledger, newcomer)
    }
    round = withoutSlot(ledger).filter((taker) => !invited.has(taker))
  }
}

function takeEmptySlots(ledger: Ledger, newcomer: Taker): void {
  for (let slot = 0; slot < ledger.previous.length; slot++) {
    if (ledger.loadOf(slot) === 0 && isFirstChoice(ledger.takers, newcomer, slot)) ledger.give(slot, newcomer)
  }
}

function isFirstChoice(takers: readonly Taker[], candidate: Taker, slot: number): boolean {
  const key = mix32(slot + 1)
  const score = rendezvousScore(key, candidate.hash, candidate.weight)
  return takers.every((taker) => taker === candidate || rendezvousScore(key, taker.hash, taker.weight) > score)
}

function withoutSlot(ledger: Ledger): Taker[] {
  const owning = new Set<Taker>()
  for (let slot = 0; slot < ledger.previous.length; slot++) {
    const owner = ledger.ownerOf(slot)
    if (owner !== undefined) owning.add(owner)
  }
  return ledger.takers.filter((taker) => !owning.has(taker))
}
