import { choiceFor } from './plan/choice.ts'
import { inviteToEmptySlots, withoutSlot } from './plan/empty-slots.ts'
import { Holdings } from './plan/holdings.ts'
import { Ledger, nobody } from './plan/ledger.ts'
import { checkMembers, type Member, takersOf } from './plan/member.ts'
import { minimumMoved } from './plan/minimum.ts'
import { place } from './plan/place.ts'
import { Settlement } from './plan/settle.ts'
import { shedExcess } from './plan/shed.ts'

export type { Member }

export interface PlanInput {
  /** Owner of each slot so far; undefined or the name of nobody in `members` means that the slot is an orphan. */
  readonly previous: readonly (string | undefined)[]
  readonly members: readonly Member[]
  /** Rows in each slot; whole numbers, as many as `previous` has. */
  readonly loads: ArrayLike<number>
  /**
   * Hysteresis: while every member is within this fraction of its fair share, only orphans move, and levelling ends there.
   * 0.05 = 5 %. Default 0. A newcomer is outside at once, since it has nothing. Wanted where one slot is a large part of
   * a member's rows (100 slots a member or fewer): levelling to the last row then moves twice what the newcomer gets.
   */
  readonly tolerance?: number
  /**
   * Churn budget: most rows that may move in this plan besides orphans, which always find an owner. What remains uneven is left
   * for the next plan. A slot with more rows than this never moves. Default: no limit.
   */
  readonly budgetRows?: number
  /**
   * `weights` (default): members share by weight, whatever their zone. `spread`: every zone gets the same number of rows, shared
   * by weight within it, so that the loss of any of n zones hits 1/n of the rows even when zones differ in size.
   */
  readonly zones?: 'weights' | 'spread'
  /** Affinity: the zone where each slot is best served. Orphans and shed slots go there while it has room; none moves for it. */
  readonly homes?: readonly (string | undefined)[]
}

export interface Move {
  readonly slot: number
  /** Undefined when nobody of the previous plan owned it. */
  readonly from: string | undefined
  readonly to: string
}

export interface PlanStats {
  readonly rows: number
  readonly movedSlots: number
  readonly movedRows: number
  /** The fewest rows that any plan must move to reach perfect balance, were rows divisible from their slots. */
  readonly minimumRows: number
  /** Largest load over its fair share; 1 is perfect, and 1 when there are no rows. */
  readonly maxOverMean: number
}

export interface PlanResult {
  readonly next: readonly (string | undefined)[]
  readonly moves: readonly Move[]
  readonly stats: PlanStats
}

/**
 * Gives every slot to exactly one live member that is not draining, in proportion to the members' weights by rows, and moves
 * as little as it can. Pure and deterministic: no clock, no randomness, independent of the order of the members.
 *
 * 1. If one single move would improve the balance, members above their fair share shed the slots that fit into the excess.
 * 2. Orphans and shed slots go to their rendezvous choice among those with room, so that a cold start from nothing lands
 *    near the same map; what fits nowhere goes to the poorest.
 * 3. While one single move from a richer to a poorer member improves the balance, it is made. Without this step a newcomer
 *    gets nothing once the excess per member is below one slot's rows (1,000 members and more).
 *
 * Promises, with tolerance 0 and no budget: no single move improves the result; planning again on the result moves nothing; one
 * join or leave moves the minimum to within one slot per member. Slots of one row each end within one row of each other.
 * Slots without rows move only when their owner goes or a newcomer takes its share of them.
 * If nobody can own (no live member), slots stay with their draining owner, so that rows go on as long as they can.
 *
 * Cost: O(slots * log slots + (slots that move) * min(members, 32 + log members)); a million slots of 10,000 members take
 * less than a second.
 * Kin: Kafka's sticky assignor (KIP-54), Slicer's weighted move (OSDI'16).
 *
 * @throws RangeError for members of the same name, a weight that is not above 0, other lengths, a negative option.
 */
export function plan(input: PlanInput): PlanResult {
  const { previous, members, loads, tolerance = 0, budgetRows = Number.POSITIVE_INFINITY, zones, homes } = input
  if (loads.length !== previous.length) throw new RangeError(`${previous.length} slots but ${loads.length} loads`)
  if (homes !== undefined && homes.length !== previous.length) {
    throw new RangeError(`${previous.length} slots but ${homes.length} homes`)
  }
  if (!(tolerance >= 0)) throw new RangeError(`tolerance must be 0 or more, not ${tolerance}`)
  if (!(budgetRows >= 0)) throw new RangeError(`budgetRows must be 0 or more, not ${budgetRows}`)
  checkMembers(members)
  const ledger = new Ledger(previous, takersOf(members, zones === 'spread'), loads)
  if (ledger.takers.length > 0) assign(ledger, { tolerance, budgetRows, homes })
  return result(ledger, input)
}

interface Wishes {
  readonly tolerance: number
  readonly budgetRows: number
  readonly homes: readonly (string | undefined)[] | undefined
}

function assign(ledger: Ledger, { tolerance, budgetRows, homes }: Wishes): void {
  const newcomers = withoutSlot(ledger)
  if (budgetRows === Number.POSITIVE_INFINITY && isUneven(ledger, tolerance)) {
    const holdings = new Holdings(ledger)
    if (new Settlement(ledger, holdings, tolerance).find() !== undefined) shedExcess(ledger, holdings)
    else if (!ledger.owners.includes(nobody) && newcomers.length === 0) return
  }
  const choice = choiceFor(ledger)
  place(ledger, choice, homes)
  if (isUneven(ledger, tolerance)) {
    // What moves anyway may as well go elsewhere: that costs nothing, and leaves less to move in addition.
    const moving = new Holdings(ledger, (slot) => ledger.hasMoved(slot))
    new Settlement(ledger, moving, tolerance).settle(Number.POSITIVE_INFINITY)
    new Settlement(ledger, new Holdings(ledger), tolerance).settle(budgetRows)
  }
  inviteToEmptySlots(ledger, choice, newcomers)
}

function isUneven(ledger: Ledger, tolerance: number): boolean {
  return ledger.loads.some((load, taker) => Math.abs(load - ledger.shareOf(taker)) > tolerance * ledger.shareOf(taker))
}

function result(ledger: Ledger, { previous, members }: PlanInput): PlanResult {
  const draining = new Set(members.filter((member) => member.draining).map(({ name }) => name))
  const next: (string | undefined)[] = []
  const moves: Move[] = []
  let movedRows = 0
  for (let slot = 0; slot < previous.length; slot++) {
    const from = previous[slot]
    const to = ledger.takers[ledger.ownerOf(slot)]?.name
    next.push(to ?? (from !== undefined && draining.has(from) ? from : undefined))
    if (to === undefined || to === from) continue
    moves.push({ slot, from, to })
    movedRows += ledger.rowsOf(slot)
  }
  return {
    next,
    moves,
    stats: {
      rows: ledger.total,
      movedSlots: moves.length,
      movedRows,
      minimumRows: minimumMoved(ledger),
      maxOverMean: ledger.maxOverMean(),
    },
  }
}
