import { planWith, strategies, unevenness, type Strategy } from './strategy.ts'
import type { Member } from '@ballast/hashing'

export interface Question {
  readonly members: readonly Member[]
  readonly targets: readonly (string | undefined)[]
  readonly counts: Uint32Array
  /** What the control plane works with. */
  readonly active: Strategy
  readonly zones: 'weights' | 'spread'
  /** Names of workers that join (`joiningNames`), of weight 1, each in the zone that then weighs least. */
  readonly joining: readonly string[]
  /** Names of those that leave. */
  readonly remove: readonly string[]
  readonly asked: readonly Strategy[]
}

export interface Answer {
  readonly strategy: Strategy
  readonly active: boolean
  /** What the change moves, from the map that this strategy has for the present workers. */
  readonly movedRows: number
  readonly movedSlots: number
  readonly minimumRows: number
  /** Largest load over its fair share after the change. */
  readonly maxOverMean: number
  /** Rows that move when all goes over to this strategy first. */
  readonly adoptRows: number
}

/** What a change of the workers would cost, by each strategy: pure, nothing is changed. */
export function whatIf(question: Question): Answer[] {
  const { members, targets, counts, active, zones, joining, asked } = question
  const leaving = new Set(question.remove)
  const before = members.filter(({ draining }) => !draining)
  const staying = before.filter(({ name }) => !leaving.has(name))
  const places = thinnestZones(before, staying, joining.length)
  const after = [...staying, ...joining.map((name, i) => ({ name, weight: 1, draining: false, zone: places[i] ?? '' }))]
  return strategies
    .filter((strategy) => asked.includes(strategy))
    .map((strategy) => {
      const adopted = planWith(strategy, { previous: targets, members: before, loads: counts, zones })
      const own = strategy === active ? targets : adopted.next
      const { next, stats } = planWith(strategy, { previous: own, members: after, loads: counts, zones })
      const { movedRows, movedSlots, minimumRows } = stats
      const maxOverMean = unevenness(after, next, counts, zones)
      const adoptRows = strategy === active ? 0 : adopted.stats.movedRows
      return { strategy, active: strategy === active, movedRows, movedSlots, minimumRows, maxOverMean, adoptRows }
    })
}

function thinnestZones(known: readonly Member[], staying: readonly Member[], count: number): string[] {
  const weights = new Map(known.map(({ zone = '' }) => [zone, 0]))
  for (const { zone = '', weight } of staying) weights.set(zone, (weights.get(zone) ?? 0) + weight)
  return Array.from({ length: count }, () => {
    const [thinnest = ['', 0]] = [...weights].toSorted((a, b) => a[1] - b[1])
    weights.set(thinnest[0], thinnest[1] + 1)
    return thinnest[0]
  })
}
