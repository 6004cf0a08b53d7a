import {
  boundedRendezvous,
  plan,
  rendezvous,
  Ring,
  type Member,
  type PlanInput,
  type PlanResult,
} from '@ballast/hashing'

export const strategies = ['sticky', 'bounded', 'ring', 'rendezvous'] as const
export type Strategy = (typeof strategies)[number]

/** How far above its share `bounded` lets a worker be, by slots. */
const epsilon = 0.05

/**
 * Who should own each slot. `sticky` is `plan` of the hashing library: even by rows, and moves the minimum. The others are
 * functions of the workers alone, as a plain consistent hash of the slot: they balance slots, not rows, know no budget, and serve to
 * be compared with. With `zones: 'spread'` a worker counts in them for its part of a zone, and all zones for the same.
 */
export function planWith(strategy: Strategy, input: PlanInput): PlanResult {
  const takers = sharesOf(
    input.members.filter(({ draining }) => !draining),
    input.zones ?? 'weights',
  )
  const sticky = plan(input)
  if (strategy === 'sticky' || takers.length === 0) return sticky
  const keys = Array.from(input.previous, (_, slot) => `slot-${slot}`)
  const next = assign(strategy, keys, takers)
  const moves = next.flatMap((to, slot) =>
    to === input.previous[slot] ? [] : { slot, from: input.previous[slot], to },
  )
  const movedRows = moves.reduce((sum, { slot }) => sum + (input.loads[slot] ?? 0), 0)
  const { rows, minimumRows } = sticky.stats
  const maxOverMean = unevenness(takers, next, input.loads)
  return { next, moves, stats: { rows, movedSlots: moves.length, movedRows, minimumRows, maxOverMean } }
}

function assign(strategy: Exclude<Strategy, 'sticky'>, keys: readonly string[], takers: readonly Member[]): string[] {
  if (strategy === 'ring') {
    const ring = new Ring(takers)
    return keys.map((key) => ring.of(key))
  }
  if (strategy === 'rendezvous') return keys.map((key) => rendezvous(key, takers)?.name ?? '')
  return Array.from(boundedRendezvous(keys, takers, epsilon), (taker) => takers[taker]?.name ?? '')
}

/** Largest load of a member over its fair share; 1 without rows. Draining members have no share, and count as none. */
export function unevenness(
  members: readonly Member[],
  owners: readonly (string | undefined)[],
  counts: ArrayLike<number>,
  zones: 'weights' | 'spread' = 'weights',
): number {
  const loads = loadsOf(owners, counts)
  const takers = sharesOf(
    members.filter(({ draining }) => !draining),
    zones,
  )
  const weight = takers.reduce((sum, taker) => sum + taker.weight, 0)
  const rows = takers.reduce((sum, { name }) => sum + (loads.get(name) ?? 0), 0)
  if (rows === 0) return 1
  return Math.max(...takers.map((taker) => ((loads.get(taker.name) ?? 0) * weight) / (rows * taker.weight)))
}

/** With `spread` all zones weigh the same, however many members they have. */
function sharesOf(takers: readonly Member[], zones: 'weights' | 'spread'): readonly Member[] {
  if (zones === 'weights') return takers
  const weightOf = new Map<string, number>()
  for (const { zone = '', weight } of takers) weightOf.set(zone, (weightOf.get(zone) ?? 0) + weight)
  return takers.map((taker) => ({ ...taker, weight: taker.weight / (weightOf.get(taker.zone ?? '') ?? 1) }))
}

export function loadsOf(owners: readonly (string | undefined)[], counts: ArrayLike<number>): Map<string, number> {
  const loads = new Map<string, number>()
  for (const [slot, owner] of owners.entries()) {
    if (owner !== undefined) loads.set(owner, (loads.get(owner) ?? 0) + (counts[slot] ?? 0))
  }
  return loads
}
