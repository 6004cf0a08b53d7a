import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const backoff = { firstMs: 100, maxMs: 1_000, resetAfterMs: 0 }

test('doubles from the first to the maximum', () => {
  const most = [0, 1, 2, 3, 4, 400].map((failures) => backoffMs(failures, backoff, () => 1))
  expect(most).toEqual([100, 200, 400, 800, 1_000, 1_000])
})

test('jitter takes away at most half, so that a restart is never immediate', () => {
  expect(backoffMs(0, backoff, () => 0)).toBe(50)
  expect(backoffMs(9, backoff, () => 0)).toBe(500)
})
