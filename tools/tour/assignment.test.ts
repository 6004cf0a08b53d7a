import { expect, test } from 'vitest'
import { fewestMoves, isAtRest, maxOverMean, movedRows } from './assignment.ts'

/** One letter a row, the letter being its worker. */
const rows = (text: string): Map<string, string> =>
  new Map(text.split('').map((worker, index) => [String(index), worker]))

test('balance is the largest share beside the mean', () => {
  expect(maxOverMean(rows('aabbcc'), 3)).toBe(1)
  expect(maxOverMean(rows('aaab'), 2)).toBe(1.5)
  expect(maxOverMean(rows('aaaa'), 2)).toBe(2)
})

test('rows that have another worker have moved', () => {
  expect(movedRows(rows('aabb'), rows('aabb'))).toBe(0)
  expect(movedRows(rows('aabb'), rows('abba'))).toBe(2)
})

test('a new worker must be given its share, the rows of one that leaves must all move', () => {
  expect(fewestMoves(rows('aaabbb'), new Set(['a', 'b', 'c']))).toBe(2)
  expect(fewestMoves(rows('aabbcc'), new Set(['a', 'b']))).toBe(2)
  expect(fewestMoves(rows('aaabc'), new Set(['a', 'b']))).toBe(1)
})

test('at rest: all slots owned by the workers, none on its way', () => {
  const workers = new Set(['a', 'b'])
  expect(isAtRest({ owners: ['a', 'b'], targets: [undefined, 'b'] }, workers)).toBe(true)
  expect(isAtRest({ owners: ['a', undefined], targets: ['a', 'b'] }, workers)).toBe(false)
  expect(isAtRest({ owners: ['a', 'b'], targets: ['b', 'b'] }, workers)).toBe(false)
  expect(isAtRest({ owners: ['a', 'c'], targets: ['a', 'c'] }, workers)).toBe(false)
})
