import { describe, expect, test } from 'vitest'
import { decide, type Situation } from './decide.ts'

const member = (name: string, draining = false) => ({ name, weight: 1, draining })
const four: Situation = {
  members: [member('a'), member('b')],
  targets: ['a', 'a', 'b', 'b'],
  counts: Uint32Array.of(10, 10, 10, 10),
  tolerance: 0.005,
}

test('all is well: nothing to do', () => {
  expect(decide(four)).toBeUndefined()
  expect(decide({ ...four, members: [] })).toBeUndefined()
  expect(decide({ ...four, members: [member('a', true)] })).toBeUndefined()
})

test('a worker that is gone or draining is a loss, a new one a join, an uneven load neither', () => {
  expect(decide({ ...four, members: [member('a')] })?.cause).toBe('left')
  expect(decide({ ...four, members: [member('a'), member('b', true)] })?.cause).toBe('left')
  expect(decide({ ...four, members: [...four.members, member('c')] })?.cause).toBe('joined')
  expect(decide({ ...four, targets: [undefined, undefined, undefined, undefined] })?.cause).toBe('joined')
  expect(decide({ ...four, counts: Uint32Array.of(40, 10, 10, 10) })?.cause).toBe('uneven')
})

test('an imbalance within the tolerance, or one that no move improves, moves nothing', () => {
  expect(decide({ ...four, counts: Uint32Array.of(1000, 1001, 1000, 1000) })).toBeUndefined()
  expect(decide({ ...four, counts: Uint32Array.of(50, 0, 10, 10) })).toBeUndefined()
})

describe('while a worker is away for a restart', () => {
  const away = { ...member('b'), away: true }

  test('nothing moves, whoever joins and however uneven it is', () => {
    expect(decide({ ...four, members: [member('a'), away] })).toBeUndefined()
    expect(decide({ ...four, members: [member('a'), away, member('c')] })).toBeUndefined()
    expect(
      decide({ ...four, members: [member('a'), away], counts: Uint32Array.of(99, 99, 1, 1) }),
      'its rows are not spread over the others',
    ).toBeUndefined()
  })

  test('slots that lose their owner go to those who are here, and only those', () => {
    const targets = ['a', 'gone', 'b', 'gone']
    const decision = decide({ ...four, targets, members: [member('a'), away, member('c')] })
    expect(decision?.cause).toBe('left')
    expect(decision?.workers).toEqual(['gone'])
    expect(decision?.result.moves.map(({ slot }) => slot)).toEqual([1, 3])
    expect(decision?.result.next[2]).toBe('b')
    expect(decision?.result.next).not.toContain('gone')
  })

  test('one that is drained while it is away has left', () => {
    const members = [member('a'), { ...member('b', true), away: true }]
    expect(decide({ ...four, members })).toMatchObject({ cause: 'left', workers: ['b'] })
  })
})

test('a budget bounds what moves for a join, the rest comes later', () => {
  const targets = Array.from({ length: 100 }, () => 'a')
  const counts = new Uint32Array(100).fill(10)
  const members = [member('a'), member('b')]
  const first = decide({ members, targets, counts, tolerance: 0.005, budgetRows: 200 })
  expect(first?.cause).toBe('joined')
  expect(first?.result.stats.movedRows).toBeLessThanOrEqual(200)
  const next = first?.result.next ?? []
  expect(decide({ members, targets: next, counts, tolerance: 0.005, budgetRows: 200 })?.cause).toBe('uneven')
})

test('zones that share alike, whatever the number of their workers', () => {
  const targets = Array.from({ length: 120 }, (): string | undefined => undefined)
  const counts = new Uint32Array(120).fill(10)
  const members = [
    { ...member('a'), zone: 'x' },
    { ...member('b'), zone: 'y' },
    { ...member('c'), zone: 'y' },
  ]
  const decision = decide({ members, targets, counts, tolerance: 0, zones: 'spread' })
  const next = decision?.result.next ?? []
  expect(next.filter((owner) => owner === 'a')).toHaveLength(60)
  expect(decide({ members, targets: next, counts, tolerance: 0.02, zones: 'spread' }), 'and stay').toBeUndefined()
})

test.each(['bounded', 'ring', 'rendezvous'] as const)(
  '%s: a function of the workers, at rest until they change',
  (strategy) => {
    const targets = Array.from({ length: 512 }, (): string | undefined => undefined)
    const counts = new Uint32Array(512).fill(3)
    const members = ['a', 'b', 'c'].map((name) => member(name))
    const first = decide({ members, targets, counts, tolerance: 0, strategy })
    const next = first?.result.next ?? []
    expect(new Set(next)).toEqual(new Set(['a', 'b', 'c']))
    expect(decide({ members, targets: next, counts, tolerance: 0, strategy })).toBeUndefined()
    const joined = decide({ members: [...members, member('d')], targets: next, counts, tolerance: 0, strategy })
    expect(joined?.cause).toBe('joined')
    expect(joined?.result.stats.maxOverMean).toBeGreaterThanOrEqual(1)
  },
)

test.each(['bounded', 'ring', 'rendezvous'] as const)('%s shares alike between zones of unlike size', (strategy) => {
  const targets = Array.from({ length: 4_096 }, (): string | undefined => undefined)
  const counts = new Uint32Array(4_096).fill(3)
  const members = ['x', 'y', 'y', 'y', 'y'].map((zone, i) => ({ ...member(`w-${i}`), zone }))
  const { next = [] } = decide({ members, targets, counts, tolerance: 0, strategy, zones: 'spread' })?.result ?? {}
  const ofX = next.filter((owner) => owner === 'w-0').length
  expect(ofX).toBeGreaterThan(4_096 * 0.4)
  expect(ofX).toBeLessThan(4_096 * 0.6)
})

test('a plain hash takes over a map of another strategy only when it is asked to compare', () => {
  const targets = ['a', 'a', 'b', 'b', 'a', 'b', 'a', 'b']
  const counts = new Uint32Array(8).fill(3)
  const common = { members: four.members, targets, counts, tolerance: 0, strategy: 'rendezvous' } as const
  expect(decide(common)).toBeUndefined()
  const decision = decide({ ...common, compare: true })
  expect(decision?.cause).toBe('strategy')
  expect(decide({ ...common, targets: decision?.result.next ?? [], compare: true })).toBeUndefined()
})
