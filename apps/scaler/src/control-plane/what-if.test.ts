import { plan } from '@ballast/hashing'
import { expect, test } from 'vitest'
import { decide } from './decide.ts'
import { joiningNames } from './joining.ts'
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
    { joining: ['worker-10'], remove: [] },
    { joining: [], remove: ['worker-4'] },
  ]) {
    const { sticky, ring } = by(whatIf({ ...question, ...change }))
    expect((sticky?.movedRows ?? 0) / (sticky?.minimumRows ?? 1)).toBeLessThanOrEqual(1.01)
    expect(sticky?.maxOverMean).toBeLessThanOrEqual(1.01)
    expect(ring?.maxOverMean).toBeGreaterThan(1.05)
    expect(sticky?.adoptRows).toBe(0)
    expect(ring?.adoptRows).toBeGreaterThan((slots * 25) / 2)
  }
})

test('nothing changes, nothing moves; only what is asked for is answered', () => {
  const answers = whatIf({ ...question, joining: [], remove: [] })
  expect(answers.map(({ movedRows }) => movedRows)).toEqual([0, 0, 0, 0])
  const some = whatIf({ ...question, joining: ['worker-10'], remove: ['nobody'], asked: ['ring', 'sticky'] })
  expect(some.map(({ strategy }) => strategy)).toEqual(['sticky', 'ring'])
})

test('with nobody left, nothing can be planned and nothing is', () => {
  const answers = whatIf({ ...question, joining: [], remove: members.map(({ name }) => name) })
  expect(answers.map(({ movedRows, maxOverMean }) => [movedRows, maxOverMean])).toEqual(strategies.map(() => [0, 1]))
})

test('zones that share alike: whoever joins goes where least is, and every strategy is even over the zones', () => {
  const zoned = ['x', 'y', 'y', 'y'].map((zone, i) => ({ name: `w-${i}`, weight: 1, draining: false, zone }))
  const { next } = plan({ previous: nobody, members: zoned, loads: counts, zones: 'spread' })
  const at = { ...question, members: zoned, targets: next, zones: 'spread', joining: ['w-4'], remove: [] } as const
  const answers = by(whatIf(at))
  // Half of the rows are of zone x, and half of those move.
  expect(answers['sticky']?.movedRows).toBeLessThanOrEqual((slots * 25) / 4 + 25)
  // Without zones all but the default would have given w-0 a quarter of what its zone is to have: 2 above.
  for (const { maxOverMean } of Object.values(answers)) expect(maxOverMean).toBeLessThan(1.3)
})

test('for the names that come it is what the control plane then decides, to the slot; for others it may not be', () => {
  // Few rows, so that most slots are empty and ties decide.
  const few = Uint32Array.from({ length: slots }, (_, slot) => (slot % 33 === 0 ? 1 : 0))
  const { next: now } = plan({ previous: nobody, members, loads: few })
  const at = { ...question, counts: few, targets: now, remove: [], asked: ['sticky'] } as const
  const told = (...joining: string[]) => whatIf({ ...at, joining })[0]?.movedSlots
  const decided = (...joining: string[]) => {
    const all = [...members, ...joining.map((name) => ({ name, weight: 1, draining: false }))]
    return decide({ members: all, targets: now, counts: few, tolerance: 0.005 })?.result.moves.length
  }
  const names = joiningNames(
    members.map(({ name }) => name),
    { count: 2 },
  )
  expect(names).toEqual(['worker-10', 'worker-11'])
  for (const joining of [['worker-10'], names, ['elsewhere']]) expect(told(...joining)).toBe(decided(...joining))
  expect(told('elsewhere')).not.toBe(told('worker-10'))
})

test('newcomers go on with the lowest free numbers of the present names, after those that are named', () => {
  expect(joiningNames(['a-0', 'a-2', 'b-0', 'x'], { count: 3, names: ['a-3'] })).toEqual(['a-3', 'a-1', 'a-4'])
  expect(joiningNames(['eu-1', 'eu-2'], { count: 1 })).toEqual(['eu-0'])
  expect(joiningNames([], { count: 2 })).toEqual(['worker-0', 'worker-1'])
  expect(joiningNames(['worker-0'], { count: 0, names: ['new'] })).toEqual(['new'])
})
