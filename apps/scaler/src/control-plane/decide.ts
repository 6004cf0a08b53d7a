import { plan, type Member, type PlanResult } from '@ballast/hashing'
import { planWith, unevenness, type Strategy } from './strategy.ts'

/** A live worker. One that is *away* restarts: it keeps what it has and is given nothing. */
export interface Candidate extends Member {
  readonly away?: boolean
}

export interface Situation {
  readonly members: readonly Candidate[]
  /** Who should own each slot, as published last. */
  readonly targets: readonly (string | undefined)[]
  readonly counts: Uint32Array
  /** How far above its fair share, as a fraction, a member may be before rows move for that alone. */
  readonly tolerance: number
  readonly strategy?: Strategy
  /** Most rows that move at once besides those without an owner; undefined: any number. */
  readonly budgetRows?: number | undefined
  readonly zones?: 'weights' | 'spread'
  /** The map may be of another strategy, other weights or other zones, which only `sticky` sees from the rows: compare them. */
  readonly compare?: boolean
}

/**
 * Why rows are to move. `left`: at once. `joined`: soon, others may be about to join too. `uneven`, and `strategy`, which wants another
 * map for the same workers: when it is not too often.
 */
export type Cause = 'left' | 'joined' | 'uneven' | 'strategy'

export interface Decision {
  readonly cause: Cause
  /** Of those that left, or joined; for people. */
  readonly workers: readonly string[]
  readonly result: PlanResult
}

/** What to change, if anything: pure, the caller decides when. Undefined while all is as it should be. */
export function decide(situation: Situation): Decision | undefined {
  const { members, targets, counts, tolerance, strategy = 'sticky', budgetRows, zones = 'weights' } = situation
  const away = new Set(members.filter((member) => member.away === true && !member.draining).map(({ name }) => name))
  const present = members.filter(({ name }) => !away.has(name))
  const takers = new Set(present.filter(({ draining }) => !draining).map(({ name }) => name))
  if (takers.size === 0) return undefined
  const assigned = new Set(targets)
  const never = targets.every((target) => target === undefined)
  const homeless = (target: string | undefined) => target === undefined || !(takers.has(target) || away.has(target))
  const left = never ? [] : [...assigned].filter(homeless)
  const joined = [...takers].filter((name) => !assigned.has(name))
  if (away.size > 0) {
    // Whatever else is to be done waits until they are back: their rows would only be moved there and back.
    return left.length === 0 ? undefined : decided('left', names(left), rescue(situation, present, away))
  }
  const sticky = strategy === 'sticky'
  const other = sticky ? unevenness(present, targets, counts, zones) > 1 + tolerance : (situation.compare ?? false)
  if (left.length === 0 && !never && joined.length === 0 && !other) return undefined
  const result = planWith(strategy, {
    previous: targets,
    members: present,
    loads: counts,
    zones,
    ...(budgetRows !== undefined && { budgetRows }),
  })
  if (left.length > 0) return decided('left', names(left), result)
  if (never || joined.length > 0) return decided('joined', joined, result)
  return decided(sticky ? 'uneven' : 'strategy', [], result)
}

const names = (list: readonly (string | undefined)[]): string[] => list.filter((name) => name !== undefined)

function decided(cause: Cause, workers: readonly string[], result: PlanResult): Decision | undefined {
  return result.moves.length === 0 ? undefined : { cause, workers, result }
}

/** Finds owners for what nobody owns, among those who are here, and moves nothing else. */
function rescue({ targets, counts }: Situation, present: readonly Candidate[], away: ReadonlySet<string>): PlanResult {
  const slots = [...targets.keys()].filter((slot) => !away.has(targets[slot] ?? ''))
  const { moves, stats } = plan({
    previous: slots.map((slot) => targets[slot]),
    members: present,
    loads: slots.map((slot) => counts[slot] ?? 0),
    budgetRows: 0,
  })
  const next = [...targets]
  const mapped = moves.map((move) => ({ ...move, slot: slots[move.slot] ?? 0 }))
  for (const { slot, to } of mapped) next[slot] = to
  return { next, moves: mapped, stats }
}
