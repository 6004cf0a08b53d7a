import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plan, type Member, type PlanInput, type PlanResult } from './plan.ts'

const names = (count: number) => Array.from({ length: count }, (_, i) => `worker-${i}`)
const equal = (count: number): Member[] => names(count).map((name) => ({ name, weight: 1, draining: false }))

/** A small cluster in any state: orphans, strangers, draining members, weights, heavy and empty slots. */
const cluster: fc.Arbitrary<PlanInput> = fc
  .record({
    members: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom(...names(9)),
        weight: fc.constantFrom(1, 1, 1, 2, 5, 0.5),
        draining: fc.boolean().map((flag) => flag),
      }),
      { selector: (member) => member.name, maxLength: 9 },
    ),
    slots: fc.array(
      fc.record({
        owner: fc.option(fc.constantFrom(...names(9), 'stranger'), { nil: undefined }),
        load: fc.oneof(fc.nat(3), fc.nat(40), fc.constant(0)),
      }),
      { maxLength: 60 },
    ),
  })
  .map(({ members, slots }) => ({
    members,
    previous: slots.map((slot) => slot.owner),
    loads: slots.map((slot) => slot.load),
  }))

const loadsByOwner = (owners: PlanResult['next'], loads: ArrayLike<number>) => {
  const sums = new Map<string | undefined, number>()
  for (const [slot, owner] of owners.entries()) sums.set(owner, (sums.get(owner) ?? 0) + (loads[slot] ?? 0))
  return sums
}

test('every slot has exactly one owner, alive and not draining; without such a member, draining owners keep theirs', () => {
  fc.assert(
    fc.property(cluster, ({ previous, members, loads }) => {
      const { next } = plan({ previous, members, loads })
      const takers = new Set(members.filter((member) => !member.draining).map((member) => member.name))
      const draining = new Set(members.filter((member) => member.draining).map((member) => member.name))
      expect(next).toHaveLength(previous.length)
      for (const [slot, owner] of next.entries()) {
        const kept = draining.has(previous[slot] ?? '') ? previous[slot] : undefined
        expect(takers.size > 0 ? takers.has(owner ?? '') : owner === kept).toBe(true)
      }
    }),
  )
})

test('deterministic, and independent of the order of the members', () => {
  fc.assert(
    fc.property(cluster, (input) => {
      expect(plan({ ...input, members: input.members.toReversed() })).toEqual(plan(input))
    }),
  )
})

test('planning again on a plan moves nothing', () => {
  fc.assert(
    fc.property(cluster, (input) => {
      const again = plan({ ...input, previous: plan(input).next })
      expect(again.moves).toEqual([])
    }),
  )
})

test('no single move improves a plan', () => {
  fc.assert(
    fc.property(cluster, (input) => {
      const { next } = plan(input)
      const takers = input.members.filter((member) => !member.draining)
      const held = loadsByOwner(next, input.loads)
      for (const [slot, owner] of next.entries()) {
        const load = input.loads[slot] ?? 0
        const giver = takers.find((member) => member.name === owner)
        if (giver === undefined || load === 0) continue
        for (const taker of takers.filter((member) => member !== giver)) {
          const after = ((held.get(taker.name) ?? 0) + load) / taker.weight
          expect(after).toBeGreaterThanOrEqual((held.get(giver.name) ?? 0) / giver.weight - 1e-6)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('the moves are the difference of the two maps', () => {
  fc.assert(
    fc.property(cluster, (input) => {
      const { next, moves, stats } = plan(input)
      const replayed = [...input.previous]
      for (const move of moves) {
        expect(replayed[move.slot]).toBe(move.from)
        replayed[move.slot] = move.to
      }
      const draining = new Set(input.members.filter((member) => member.draining).map((member) => member.name))
      const nobody = draining.size === input.members.length
      expect(nobody ? replayed.map((name) => (draining.has(name ?? '') ? name : undefined)) : replayed).toEqual(next)
      expect(stats.movedRows).toBe(moves.reduce((sum, move) => sum + (input.loads[move.slot] ?? 0), 0))
    }),
  )
})

/** Rows per slot as a uniform hash deals them. */
function deal(rows: number, slots: number, seed: number): number[] {
  const loads = Array.from({ length: slots }, () => 0)
  let state = seed | 1
  for (let row = 0; row < rows; row++) {
    state = Math.imul(state ^ (state << 13), 1)
    state ^= state >>> 17
    state ^= state << 5
    const slot = (state >>> 0) % slots
    loads[slot] = (loads[slot] ?? 0) + 1
  }
  return loads
}

const fresh = (slots: number) => Array.from({ length: slots }, () => undefined)

test.each([2, 3, 10, 20, 50])(
  'with %i workers: within half a percent of the mean, and one join or leave moves the minimum',
  (count) => {
    const loads = deal(2_000 * count, 16_384, count)
    const cold = plan({ previous: fresh(16_384), members: equal(count), loads })
    expect(cold.stats.maxOverMean).toBeLessThanOrEqual(1.005)

    const granule = Math.max(...loads)
    const joined = plan({ previous: cold.next, members: equal(count + 1), loads })
    expect(joined.stats.maxOverMean).toBeLessThanOrEqual(1.005)
    expect(joined.stats.movedRows).toBeLessThanOrEqual(joined.stats.minimumRows + granule)
    const elsewhere = joined.moves.filter((move) => move.to !== `worker-${count}`)
    expect(elsewhere.reduce((sum, move) => sum + (loads[move.slot] ?? 0), 0)).toBeLessThanOrEqual(granule)

    const leaver = `worker-${Math.floor(count / 2)}`
    const left = plan({ previous: cold.next, members: equal(count).filter(({ name }) => name !== leaver), loads })
    expect(left.stats.maxOverMean).toBeLessThanOrEqual(1.005)
    expect(left.stats.movedRows).toBeLessThanOrEqual(left.stats.minimumRows + granule)

    const drained = plan({
      previous: cold.next,
      members: equal(count).map((member) => ({ ...member, draining: member.name === leaver })),
      loads,
    })
    expect(drained.next).toEqual(left.next)
  },
)

test('a newcomer gets its share even when the excess of each giver is below one slot', () => {
  const loads = Array.from({ length: 4_096 }, () => 7)
  const before = plan({ previous: fresh(4_096), members: equal(1_024), loads })
  const after = plan({ previous: before.next, members: equal(1_025), loads })
  const share = (4_096 * 7) / 1_025
  expect(loadsByOwner(after.next, loads).get('worker-1024')).toBeGreaterThan(share - 7)
  expect(after.stats.movedRows).toBeLessThanOrEqual(share + 7)
})

test('weights are kept', () => {
  const loads = deal(40_000, 16_384, 7)
  const members = [1, 2, 5].map((weight) => ({ name: `w${weight}`, weight, draining: false }))
  const { next, stats } = plan({ previous: fresh(16_384), members, loads })
  expect(stats.maxOverMean).toBeLessThanOrEqual(1.005)
  expect(loadsByOwner(next, loads).get('w5')).toBeGreaterThan(24_900)
})

test('a cold start from nothing lands near the map that grew', () => {
  const loads = deal(30_000, 16_384, 3)
  let grown = plan({ previous: fresh(16_384), members: equal(1), loads })
  for (let count = 2; count <= 5; count++) grown = plan({ previous: grown.next, members: equal(count), loads })
  const first = plan({ previous: fresh(16_384), members: equal(5), loads })
  const second = plan({ previous: fresh(16_384), members: equal(5), loads: deal(30_000, 16_384, 4) })
  const same = first.next.filter((owner, slot) => owner === second.next[slot]).length
  expect(same / 16_384, 'two cold starts over other rows').toBeGreaterThan(0.8)
})

test('an empty table is shared evenly, a newcomer takes its part of it, and no row moves', () => {
  const loads = new Uint32Array(16_384)
  const three = plan({ previous: fresh(16_384), members: equal(3), loads })
  const four = plan({ previous: three.next, members: equal(4), loads })
  const counts = names(4).map((name) => four.next.filter((owner) => owner === name).length)
  for (const count of counts) expect(Math.abs(count - 4_096)).toBeLessThan(6 * Math.sqrt(4_096))
  expect(four.stats).toMatchObject({ movedRows: 0, minimumRows: 0, maxOverMean: 1 })
  expect(plan({ previous: four.next, members: equal(4), loads }).moves).toEqual([])
})

test('a thousand random joins, leaves and inserts: always balanced, at most 5 percent above the minimum', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 60, maxLength: 60 }), fc.nat(), (events, seed) => {
      const loads = deal(40_000, 4_096, seed)
      let count = 8
      let state = plan({ previous: fresh(4_096), members: equal(count), loads })
      let moved = 0
      let minimum = 0
      for (const event of events) {
        if (event < 2 && count < 16) count++
        else if (event < 4 && count > 3) count--
        else loads[(event * 7 + moved) % 4_096] = (loads[(event * 7 + moved) % 4_096] ?? 0) + 1
        state = plan({ previous: state.next, members: equal(count), loads })
        moved += state.stats.movedRows
        minimum += state.stats.minimumRows
        expect(state.stats.maxOverMean).toBeLessThanOrEqual(1.005)
      }
      expect(moved).toBeLessThanOrEqual(minimum * 1.05)
    }),
    { numRuns: 15 },
  )
})

test('bad input is refused by name', () => {
  const [worker] = equal(1)
  if (worker === undefined) throw new Error('no worker')
  expect(() => plan({ previous: [undefined], members: [worker, worker], loads: [1] })).toThrow('same name')
  expect(() => plan({ previous: [undefined], members: [{ ...worker, weight: 0 }], loads: [1] })).toThrow('worker-0')
  expect(() => plan({ previous: [undefined], members: [], loads: [1, 2] })).toThrow('1 slots but 2 loads')
})
