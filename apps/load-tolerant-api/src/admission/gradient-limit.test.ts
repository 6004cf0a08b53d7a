import { expect, test } from 'vitest'
import { GradientLimit } from './gradient-limit.ts'

const options = { initial: 100, min: 20, max: 200, headroom: 4 }

test('grows while latency stays what it was, up to the most allowed', () => {
  const limit = new GradientLimit(options)
  limit.sample(10, 100)
  expect(limit.limit).toBe(100)
  for (let window = 0; window < 4; window++) limit.sample(10, 200)
  expect(limit.limit).toBe(104)
  for (let window = 0; window < 1000; window++) limit.sample(10, 200)
  expect(limit.limit).toBe(200)
})

test('shrinks when latency rises, and never below the least', () => {
  const limit = new GradientLimit(options)
  for (let window = 0; window < 20; window++) limit.sample(10, 0)
  limit.sample(40, 100)
  // 100 * 0.8 + (100 * 0.5 + 4) * 0.2: a window cannot do more than a tenth.
  expect(limit.limit).toBe(90)
  for (let window = 0; window < 60; window++) limit.sample(500 * (window + 1), 200)
  expect(limit.limit).toBe(20)
})

test('a limit that is not used stays as it is', () => {
  const limit = new GradientLimit(options)
  for (let window = 0; window < 100; window++) limit.sample(10, 49)
  expect(limit.limit).toBe(100)
})

test('after a slow time the usual latency comes down faster than its window', () => {
  const limit = new GradientLimit(options)
  for (let window = 0; window < 10; window++) limit.sample(1000, 0)
  for (let window = 0; window < 60; window++) limit.sample(10, 0)
  // Without that a rise from 10 to 20 would still pass for fast.
  limit.sample(40, 100)
  expect(limit.limit).toBeLessThan(100)
})

test('a latency of zero is fast, not nothing', () => {
  const limit = new GradientLimit(options)
  for (let window = 0; window < 20; window++) limit.sample(0, 200)
  expect(limit.limit).toBe(116)
})
