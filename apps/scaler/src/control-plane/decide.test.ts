import { expect, test } from 'vitest'
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
