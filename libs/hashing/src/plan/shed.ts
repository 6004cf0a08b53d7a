import type { Holdings } from './holdings.ts'
import { type Ledger, nobody } from './ledger.ts'

/** Takes from each member above its fair share the largest slots that fit into the excess. They are left without an owner. */
export function shedExcess(ledger: Ledger, holdings: Holdings): void {
  for (let taker = 0; taker < ledger.takers.length; taker++) {
    const share = ledger.shareOf(taker)
    if (ledger.loadOf(taker) <= share) continue
    for (const slot of holdings.slotsOf(taker)) {
      if (ledger.loadOf(taker) - ledger.rowsOf(slot) < share) continue
      ledger.give(slot, nobody)
    }
  }
}
