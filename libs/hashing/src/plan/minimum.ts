import type { Ledger } from './ledger.ts'

/**
 * The fewest rows that must move so that loads become the fair shares, rounded: everything orphaned, and what each survivor
 * holds above its share, the roundings up going to those who hold most.
 */
export function minimumMoved(ledger: Ledger): number {
  if (ledger.takers.length === 0) return 0
  const before = [...ledger.loadsBefore].map((load, taker) => ({ load, share: ledger.shareOf(taker) }))
  const owned = before.reduce((sum, { load }) => sum + load, 0)
  const floors = before.reduce((sum, { share }) => sum + Math.floor(share), 0)
  let roundedUp = ledger.total - floors
  let moved = ledger.total - owned
  for (const { share, load } of before.toSorted((a, b) => b.load - b.share - (a.load - a.share))) {
    const target = Math.floor(share) + (roundedUp > 0 ? 1 : 0)
    roundedUp -= 1
    moved += Math.max(0, load - target)
  }
  return moved
}
