import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const pauses = (random: number): number[] => [0, 1, 2, 3, 4, 5, 60].map((n) => backoffMs(n, 1_000, () => random))

test('pauses double from 50 ms to the longest one, and half of each is random', () => {
  expect(pauses(1)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000])
  expect(pauses(0)).toEqual([25, 50, 100, 200, 400, 500, 500])
})
