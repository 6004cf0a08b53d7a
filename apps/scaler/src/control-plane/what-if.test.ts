import { plan } from '@ballast/hashing'
import { expect, test } from 'vitest'
import { strategies } from './strategy.ts'
import { whatIf } from './what-if.ts'

const slots = 4_096
const counts = new Uint32Array(slots).fill(25)
const members = Array.from({ length: 10 }, (_, i) => ({ name: `worker-${i}`, weight: 1, draining: false }))
const nobody = Array.from({ length: slots }, (): string | undefined => undefined)
const { next: targets } = plan({ previous: nobody, members, loads: counts })
const question = { members, targets, counts, active: 'sticky', zones: 'weights', asked: strategies } as const

const by = (answers: ReturnType<typeof whatIf>) =>
  Object.fromEntries(answers.map((answer) => [answer.strategy, answer]))

test('the default moves the minimum and is even; a plain ring is neither', () => {
  for (const change of [
    { add: 1, remove: [] },
    { add: 0, remove: ['worker-4'] },
  ]) {
    const { sticky, ring } = by(whatIf({ ...question, ...change }))
    expect((sticky?.movedRows ?? 0) / (sticky?.minimumRows ?? 1)).toBeLessThanOrEqual(1.01)
    expect(sticky?.maxOverMean).toBeLessThanOrEqual(1.01)
    expect(ring?.maxOverMean).toBeGreaterThan(1.05)
    expect(sticky?.adoptRows).toBe(0)
    expect(ring?.adoptRows).toBeGreaterThan((slots * 25) / 2)
  }
})

test('nothing changes, nothing moves; only what is asked for is answered; names do not clash', () => {
  const answers = whatIf({ ...question, add: 0, remove: [] })
  expect(answers.map(({ movedRows }) => movedRows)).toEqual([0, 0, 0, 0])
  const taken = [...members, { name: 'new-0', weight: 1, draining: false }]
  const some = whatIf({ ...question, members: taken, add: 1, remove: ['nobody'], asked: ['ring', 'sticky'] })
  expect(some.map(({ strategy }) => strategy)).toEqual(['sticky', 'ring'])
})

test('with nobody left, nothing can be planned and nothing is', () => {
  const answers = whatIf({ ...question, add: 0, remove: members.map(({ name }) => name) })
  expect(answers.map(({ movedRows, maxOverMean }) => [movedRows, maxOverMean])).toEqual(strategies.map(() => [0, 1]))
})

test('zones that share alike: whoever joins goes where least is, and every strategy is even over the zones', () => {
  const zoned = ['x', 'y', 'y', 'y'].map((zone, i) => ({ name: `w-${i}`, weight: 1, draining: false, zone }))
  const { next } = plan({ previous: nobody, members: zoned, loads: counts, zones: 'spread' })
  const at = { ...question, members: zoned, targets: next, zones: 'spread', add: 1, remove: [] } as const
  const answers = by(whatIf(at))
  // Half of the rows are of zone x, and half of those move.
  expect(answers['sticky']?.movedRows).toBeLessThanOrEqual((slots * 25) / 4 + 25)
  // Without zones all but the default would have given w-0 a quarter of what its zone is to have: 2 above.
  for (const { maxOverMean } of Object.values(answers)) expect(maxOverMean).toBeLessThan(1.3)
})
