import type { Choice } from './choice.ts'
import { Heap } from './heap.ts'
import type { Ledger } from './ledger.ts'
import { byRows } from './order.ts'

/**
 * Gives each slot without an owner, most rows first, to its choice among the takers with room: those of its home zone, then all; else to
 * the poorest.
 */
export function place(ledger: Ledger, choice: Choice, homes: readonly (string | undefined)[] | undefined): void {
  const slots = ledger.ownerless()
  if (slots.length === 0) return
  const poorest = new Heap(ledger.takers.length, (taker) => ledger.levelOf(taker))
  for (let taker = 0; taker < ledger.takers.length; taker++) poorest.put(taker)
  for (const slot of byRows(slots, (slot) => ledger.rowsOf(slot))) {
    const rows = ledger.rowsOf(slot)
    const home = homes?.[slot]
    const hasRoom = (taker: number) => ledger.loadOf(taker) + rows <= ledger.shareOf(taker)
    const isHome = (taker: number) => hasRoom(taker) && ledger.takers[taker]?.zone === home
    // With equal weights, nobody has room when the poorest has none.
    const to = (home === undefined ? undefined : choice(slot, isHome)) ?? choice(slot, hasRoom) ?? poorest.first
    if (to === undefined) return
    ledger.give(slot, to)
    poorest.put(to)
  }
}
