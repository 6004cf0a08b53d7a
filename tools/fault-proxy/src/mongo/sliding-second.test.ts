import fc from 'fast-check'
import { expect, test } from 'vitest'
import { worstSlidingSecond } from './sliding-second.ts'

test('the worst second need not begin on a second', () => {
  expect(worstSlidingSecond([])).toBe(0)
  expect(worstSlidingSecond([0, 999])).toBe(2)
  expect(worstSlidingSecond([0, 1000])).toBe(1)
  expect(worstSlidingSecond([900, 950, 1850, 1899, 2500])).toBe(4)
})

test('it equals the count by brute force', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5000), { maxLength: 50 }), (unsorted) => {
      const times = unsorted.toSorted((a, b) => a - b)
      const brute = times.map((end) => times.filter((time) => time > end - 1000 && time <= end).length)
      expect(worstSlidingSecond(times)).toBe(Math.max(0, ...brute))
    }),
  )
})
