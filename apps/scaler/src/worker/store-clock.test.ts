import fc from 'fast-check'
import { expect, test } from 'vitest'
import { phaseOf, StoreClock } from './store-clock.ts'

test('the next tick is due at the phase of the second after the last one', () => {
  let monotonic = 100
  const clock = new StoreClock(() => monotonic)
  expect(clock.nowMs()).toBeUndefined()
  expect(clock.untilTickAfter(7n, 300)).toBe(0)
  clock.set(7_310, 100)
  monotonic = 150
  expect(clock.nowMs()).toBe(7_360)
  expect(clock.untilTickAfter(7n, 300)).toBe(940)
  monotonic = 1_500
  expect(clock.untilTickAfter(7n, 300), 'overdue').toBe(0)
})

test('phases stay clear of the ends of the second', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (unit) => {
      expect(phaseOf(unit)).toBeGreaterThanOrEqual(50)
      expect(phaseOf(unit)).toBeLessThanOrEqual(700)
    }),
  )
})
