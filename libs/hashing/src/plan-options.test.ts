import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Member, plan } from './plan.ts'

const workers = (count: number, zoneOf: (i: number) => string = () => ''): Member[] =>
  Array.from({ length: count }, (_, i) => ({ name: `worker-${i}`, weight: 1, draining: false, zone: zoneOf(i) }))
const fresh = (slots: number) => Array.from({ length: slots }, () => undefined)
const ones = (slots: number) => new Uint32Array(slots).fill(1)
const rowsBy = (owners: readonly (string | undefined)[], keyOf: (owner: string) => string) => {
  const rows: Record<string, number> = {}
  for (const owner of owners) if (owner !== undefined) rows[keyOf(owner)] = (rows[keyOf(owner)] ?? 0) + 1
  return rows
}

test('slots of one row each: within one row of each other, and within 2 % of the fewest moves, over 1,000 random events', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 1_000, maxLength: 1_000 }), (events) => {
      const loads = ones(1_000)
      let count = 10
      let state = plan({ previous: fresh(1_000), members: workers(count), loads })
      let moved = 0
      let minimum = 0
      for (const event of events) {
        const slot = (event * 97 + moved) % 1_000
        if (event < 3) count = Math.min(40, count + 1)
        else if (event < 6) count = Math.max(3, count - 1)
        else loads[slot] = loads[slot] === 1 ? 0 : 1
        state = plan({ previous: state.next, members: workers(count), loads })
        moved += state.stats.movedRows
        minimum += state.stats.minimumRows
        const held = workers(count).map(({ name }) =>
          state.next.reduce((sum, owner, i) => (owner === name ? sum + (loads[i] ?? 0) : sum), 0),
        )
        expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1)
      }
      expect(moved).toBeLessThanOrEqual(minimum * 1.02)
    }),
    { numRuns: 1 },
  )
})

test('within the tolerance nothing moves; beyond it everything is levelled; a newcomer is served at once', () => {
  const before = plan({ previous: fresh(1_000), members: workers(4), loads: ones(1_000) })
  const loads = ones(1_000)
  for (let slot = 0, added = 0; added < 20; slot++) {
    if (before.next[slot] !== 'worker-0') continue
    loads[slot] = 2
    added++
  }
  const next = (tolerance: number, count = 4) =>
    plan({ previous: before.next, members: workers(count), loads, tolerance })
  expect(next(0.1).moves).toEqual([])
  expect(next(0.01).stats.maxOverMean).toBeLessThanOrEqual(1.01)
  expect(next(0.01).stats.movedRows).toBeLessThanOrEqual(16)
  expect(next(0.01).moves.length).toBeGreaterThan(0)
  expect(rowsBy(next(0.1, 5).next, (owner) => owner)['worker-4']).toBeGreaterThanOrEqual(180)
})

test('a budget bounds what moves besides orphans, and repeated plans reach the same balance', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (budgetRows) => {
      const loads = ones(1_000)
      let state = plan({ previous: fresh(1_000), members: workers(4), loads })
      const orphans = state.next.filter((owner) => owner === 'worker-0').length
      const members = workers(6).slice(1)
      const first = plan({ previous: state.next, members, loads, budgetRows })
      expect(first.next.every((owner) => owner !== undefined && owner !== 'worker-0')).toBe(true)
      expect(first.stats.movedRows).toBeLessThanOrEqual(orphans + budgetRows)
      for (state = first; state.moves.length > 0;) {
        state = plan({ previous: state.next, members, loads, budgetRows })
        expect(state.stats.movedRows).toBeLessThanOrEqual(budgetRows)
      }
      expect(state.stats.maxOverMean).toBe(1)
    }),
    { numRuns: 30 },
  )
})

const zoneOfWorker = (owner: string) => (owner === 'worker-0' ? 'a' : 'b')

test('spread gives zones of different sizes the same rows, weights gives members the same', () => {
  const members = workers(4, (i) => (i === 0 ? 'a' : 'b'))
  const input = { previous: fresh(1_200), members, loads: ones(1_200) }
  expect(rowsBy(plan({ ...input, zones: 'spread' }).next, zoneOfWorker)).toEqual({ a: 600, b: 600 })
  expect(rowsBy(plan({ ...input, zones: 'weights' }).next, zoneOfWorker)).toEqual({ a: 300, b: 900 })
})

test('orphans go to their home zone while it has room', () => {
  const members = workers(4, (i) => (i < 2 ? 'a' : 'b'))
  const zoneOf = new Map<string | undefined, string>(members.map(({ name, zone = '' }) => [name, zone]))
  const homes = Array.from({ length: 1_000 }, (_, slot) => (slot % 2 === 0 ? 'a' : 'b'))
  const { next, stats } = plan({ previous: fresh(1_000), members, loads: ones(1_000), homes })
  expect(next.filter((owner, slot) => zoneOf.get(owner) === homes[slot])).toHaveLength(1_000)
  expect(stats.maxOverMean).toBe(1)
  const elsewhere = plan({ previous: fresh(1_000), members, loads: ones(1_000), homes: homes.map(() => 'a') })
  expect(elsewhere.stats.maxOverMean, 'never at the cost of balance').toBe(1)
})

test('many slots over many members: balanced, sticky, and one join moves what the newcomer gets', () => {
  const loads = Uint32Array.from({ length: 2 ** 16 }, (_, slot) => 80 + (Math.imul(slot, 0x9e3779b1) >>> 27))
  const cold = plan({ previous: fresh(2 ** 16), members: workers(600), loads })
  expect(cold.stats.maxOverMean).toBeLessThan(1.005)
  expect(plan({ previous: cold.next, members: workers(600), loads }).moves).toEqual([])
  const joined = plan({ previous: cold.next, members: workers(601), loads, tolerance: 0.015 })
  expect(joined.stats.movedRows).toBeLessThanOrEqual((joined.stats.rows / 601) * 1.01)
  expect(joined.stats.maxOverMean).toBeLessThanOrEqual(1.015)
  expect(joined.next.filter((owner) => owner === 'worker-600').length).toBeGreaterThan(85)
})

test('options that mean nothing are refused', () => {
  const input = { previous: [undefined], members: workers(1), loads: [1] }
  expect(() => plan({ ...input, tolerance: -1 })).toThrow('tolerance must be 0 or more, not -1')
  expect(() => plan({ ...input, budgetRows: Number.NaN })).toThrow('budgetRows must be 0 or more, not NaN')
  expect(() => plan({ ...input, homes: [] })).toThrow('1 slots but 0 homes')
})
