import type { Ledger } from './ledger.ts'

/** Takes from each member above its fair share the largest slots that fit into the excess. Returns them, without an owner. */
export function shedExcess(ledger: Ledger): number[] {
  const shed: number[] = []
  for (const [taker, slots] of ledger.slotsWithRows()) {
    for (const slot of slots) {
      if (taker.load <= taker.share) break
      if (taker.load - ledger.loadOf(slot) < taker.share) continue
      ledger.give(slot, undefined)
      shed.push(slot)
    }
  }
  return shed
}
