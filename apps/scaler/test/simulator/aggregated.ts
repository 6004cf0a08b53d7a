import { decide } from '../../src/control-plane/decide.ts'
import { Random } from './random.ts'

export interface AggregatedOptions {
  readonly seed: number
  readonly workers: number
  readonly rows: number
  readonly slots: number
  readonly events: number
}

export interface Aggregated {
  readonly violations: readonly string[]
  readonly plans: number
  readonly slowestPlanMs: number
  readonly worstMaxOverMean: number
  /** Rows that plans moved, relative to the fewest that any plan could have. */
  readonly movedOverMinimum: number
  readonly longestUnownedTicks: number
  readonly refused: number
}

interface Member {
  readonly name: string
  readonly weight: number
  draining: boolean
  /** Its process is there and not stopped. */
  runs: boolean
  heardAt: number
  epoch: number
  /** What the process believes. */
  knownEpoch: number
}

const ttlTicks = 3
const tolerance = 0.005

/**
 * Planner and ownership at a size at which single rows are too many: a slot stands for all of its rows, whose last tick it shares. Time goes
 * by whole ticks; messages take none. Who decides is the product's `decide`; what is checked is that each slot is ticked by its one
 * owner, is never left alone longer than a lease and a tick, that loads are even, that no more moves than must, and nothing at rest.
 */
export function simulateAggregated({ seed, workers, rows, slots, events }: AggregatedOptions): Aggregated {
  const random = new Random(seed)
  const violations: string[] = []
  const loads = Uint32Array.from({ length: slots }, () => Math.round((rows / slots) * random.between(0.8, 1.2)))
  const members = new Map<string, Member>()
  const owners: (string | undefined)[] = Array.from({ length: slots })
  let targets: readonly (string | undefined)[] = [...owners]
  const lastTick = new Int32Array(slots)
  let [plans, slowestPlanMs, worstMaxOverMean, moved, minimum, longestUnownedTicks, refused] = [0, 0, 1, 0, 0, 0, 0]
  let now = 0
  let serial = 0
  const join = () => {
    const name = `worker-${serial++}`
    members.set(name, { name, weight: 1, draining: false, runs: true, heardAt: now, epoch: 1, knownEpoch: 1 })
  }
  const isAlive = (name: string | undefined) => {
    const member = members.get(name ?? '')
    return member !== undefined && now - member.heardAt < ttlTicks
  }

  /** Returns how many slots the plan moved. */
  const lead = (): number => {
    const living = [...members.values()].filter(({ name }) => isAlive(name))
    const startedMs = performance.now()
    const decision = decide({ members: living, targets, counts: loads, tolerance })
    slowestPlanMs = Math.max(slowestPlanMs, performance.now() - startedMs)
    if (decision !== undefined) {
      const { next, stats } = decision.result
      targets = next
      plans += 1
      moved += stats.movedRows
      minimum += stats.minimumRows
      worstMaxOverMean = Math.max(worstMaxOverMean, stats.maxOverMean)
    }
    for (let slot = 0; slot < slots; slot++) {
      if (owners[slot] !== targets[slot] && !isAlive(owners[slot])) change(slot)
    }
    return decision?.result.moves.length ?? 0
  }
  const change = (slot: number) => {
    for (const name of [owners[slot], targets[slot]]) {
      const member = members.get(name ?? '')
      if (member !== undefined) member.epoch = member.knownEpoch + 1
    }
    owners[slot] = targets[slot]
  }
  const tick = () => {
    now += 1
    for (const member of members.values()) {
      if (!member.runs) continue
      // Refused under the old fence, it goes on under the current one in the same tick.
      if (member.knownEpoch !== member.epoch) refused += 1
      member.knownEpoch = member.epoch
      member.heardAt = now
    }
    for (let slot = 0; slot < slots; slot++) {
      const owner = members.get(owners[slot] ?? '')
      if (owner?.runs !== true) continue
      const gap = now - (lastTick[slot] ?? 0)
      if (gap < 1) violations.push(`I1: slot ${slot} was ticked twice at ${now}`)
      if (gap > longestUnownedTicks) longestUnownedTicks = gap
      lastTick[slot] = now
      if (owners[slot] !== targets[slot] && isAlive(targets[slot])) change(slot)
    }
  }

  for (let i = 0; i < workers; i++) join()
  lead()
  for (let event = 0; event < events; event++) {
    const running = [...members.values()].filter((member) => member.runs && !member.draining)
    const chosen = Array.from({ length: random.integer(1, Math.max(1, workers >> 7)) }, () => random.pick(running))
    const kind = random.integer(0, 4)
    for (const member of chosen) {
      if (kind === 0) join()
      else if (kind === 1 && member !== undefined) member.draining = true
      else if (kind === 2 && member !== undefined) member.runs = false
      else if (kind === 3) loads[random.integer(0, slots - 1)] = Math.round((rows / slots) * random.between(0.5, 1.5))
      else if (member !== undefined) member.heardAt = now - ttlTicks
    }
    // A lease may run out, the leader notices, the new owners tick, and what was drained is given away.
    for (let step = 0; step < ttlTicks + 2; step++) {
      tick()
      lead()
    }
    for (const member of members.values()) {
      if ((!member.runs || member.draining) && !owners.includes(member.name)) members.delete(member.name)
    }
    if (lead() > 0) violations.push(`I6: a plan without a cause after event ${event}`)
    for (let slot = 0; slot < slots; slot++) {
      if (owners[slot] === targets[slot] && isAlive(owners[slot])) continue
      violations.push(`I3: slot ${slot} is of ${owners[slot]} instead of ${targets[slot]} after event ${event}`)
      break
    }
  }
  const movedOverMinimum = minimum === 0 ? 1 : moved / minimum
  if (longestUnownedTicks > ttlTicks + 1) violations.push(`I7: ${longestUnownedTicks} ticks without an owner`)
  // Slots move as a whole: where one of them is more than the tolerance (200 slots a worker and fewer), one is the bound.
  if (worstMaxOverMean > 1 + Math.max(tolerance, workers / slots)) {
    violations.push(`I4: ${worstMaxOverMean} of its fair share`)
  }
  if (movedOverMinimum > 1.02) violations.push(`I5: moved ${movedOverMinimum} of the minimum`)
  return { violations, plans, slowestPlanMs, worstMaxOverMean, movedOverMinimum, longestUnownedTicks, refused }
}
