import type { Choice } from './choice.ts'
import { type Ledger, nobody } from './ledger.ts'

/**
 * A newcomer takes the slots without rows of which it is the choice: its share of them, and nobody else's move. It costs no
 * row a move, and leaves the rows to come evenly spread.
 *
 * Whoever is left without any slot by that counts as a newcomer at once. A slot that went to its choice never moves again, so
 * this ends, and planning again finds nobody to invite.
 */
export function inviteToEmptySlots(ledger: Ledger, choice: Choice, newcomers: readonly number[]): void {
  let round = new Set([...newcomers, ...withoutSlot(ledger)])
  const empty = round.size === 0 ? [] : emptySlots(ledger)
  if (empty.length === 0) return
  const choices = empty.map((slot) => choice(slot, () => true) ?? nobody)
  const invited = new Set<number>()
  while (round.size > 0) {
    for (const taker of round) invited.add(taker)
    for (const [i, slot] of empty.entries()) {
      const chosen = choices[i] ?? nobody
      if (round.has(chosen)) ledger.give(slot, chosen)
    }
    round = new Set(withoutSlot(ledger).filter((taker) => !invited.has(taker)))
  }
}

function emptySlots(ledger: Ledger): number[] {
  const empty: number[] = []
  for (let slot = 0; slot < ledger.owners.length; slot++) if (ledger.rowsOf(slot) === 0) empty.push(slot)
  return empty
}

export function withoutSlot(ledger: Ledger): number[] {
  const owning = new Uint8Array(ledger.takers.length)
  for (const owner of ledger.owners) if (owner !== nobody) owning[owner] = 1
  return [...ledger.takers.keys()].filter((taker) => owning[taker] === 0)
}
