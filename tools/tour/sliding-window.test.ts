import { expect, test } from 'vitest'
import { mostInWindow } from './sliding-window.ts'

test.each([
  [[], 0],
  [[5], 1],
  [[0, 999.9, 1000, 1500], 3],
  [[0, 10, 20, 5000, 5001], 3],
])('%j has at most %d in a second', (times, most) => {
  expect(mostInWindow(times, 1000)).toBe(most)
})
