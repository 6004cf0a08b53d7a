import { plan, type Member, type PlanResult } from '@ballast/hashing'

export interface Situation {
  readonly members: readonly Member[]
  /** Who should own each slot, as published last. */
  readonly targets: readonly (string | undefined)[]
  readonly counts: Uint32Array
  /** How far above its fair share, as a fraction, a member may be before rows move for that alone. */
  readonly tolerance: number
}

/** Why rows are to move. `left`: at once. `joined`: soon, others may be about to join too. `uneven`: when it is not too often. */
export type Cause = 'left' | 'joined' | 'uneven'

export interface Decision {
  readonly cause: Cause
  readonly result: PlanResult
}

/** What to change, if anything: pure, the caller decides when. Undefined while all is as it should be. */
export function decide({ members, targets, counts, tolerance }: Situation): Decision | undefined {
  const takers = new Set(members.filter(({ draining }) => !draining).map(({ name }) => name))
  if (takers.size === 0) return undefined
  const assigned = new Set(targets)
  const never = targets.every((target) => target === undefined)
  const left = !never && targets.some((target) => target === undefined || !takers.has(target))
  const joined = never || [...takers].some((name) => !assigned.has(name))
  if (!left && !joined && unevenness(members, targets, counts) <= 1 + tolerance) return undefined
  const result = plan({ previous: targets, members, loads: counts })
  if (result.moves.length === 0) return undefined
  return { cause: left ? 'left' : joined ? 'joined' : 'uneven', result }
}

/** Largest load over its fair share. */
export function unevenness(
  members: readonly Member[],
  owners: readonly (string | undefined)[],
  counts: Uint32Array,
): number {
  const loads = loadsOf(owners, counts)
  const takers = members.filter(({ draining }) => !draining)
  const weight = takers.reduce((sum, member) => sum + member.weight, 0)
  const rows = takers.reduce((sum, { name }) => sum + (loads.get(name) ?? 0), 0)
  if (rows === 0) return 1
  return Math.max(...takers.map((member) => ((loads.get(member.name) ?? 0) * weight) / (rows * member.weight)))
}

export function loadsOf(owners: readonly (string | undefined)[], counts: Uint32Array): Map<string, number> {
  const loads = new Map<string, number>()
  for (const [slot, owner] of owners.entries()) {
    if (owner !== undefined) loads.set(owner, (loads.get(owner) ?? 0) + (counts[slot] ?? 0))
  }
  return loads
}
