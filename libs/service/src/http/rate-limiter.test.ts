import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimiter } from './rate-limiter.ts'

test('in every window no more goes through than the rate and the burst allow, and what is told to wait may go on then', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 200 }),
      (perSecond, burst, pauses) => {
        let nowMs = 0
        const limiter = new RateLimiter({ perSecond, burst, nowMs: () => nowMs })
        const taken: number[] = []
        const leftMs = [0]
        for (const pauseMs of pauses) {
          nowMs += pauseMs
          const waitMs = limiter.take('a')
          if (waitMs === 0) taken.push(nowMs)
          else if (pauseMs % 3 === 0) {
            nowMs += waitMs
            leftMs.push(limiter.take('a'))
            taken.push(nowMs)
          }
        }
        // One rounding error of the double that the wait is.
        expect(Math.max(...leftMs)).toBeLessThan(1e-6)
        for (const [first, startMs] of taken.entries()) {
          for (let last = first; last < taken.length; last++) {
            const allowed = burst + (((taken[last] ?? 0) - startMs) / 1_000) * perSecond
            expect(last - first + 1).toBeLessThanOrEqual(allowed + 1e-6)
          }
        }
      },
    ),
  )
})

test('clients do not use up the allowance of each other', () => {
  const limiter = new RateLimiter({ perSecond: 1, burst: 1, nowMs: () => 0 })
  expect([limiter.take('a'), limiter.take('a'), limiter.take('b')]).toEqual([0, 1_000, 0])
})

test('memory is bounded: strangers beyond it share an allowance, and whoever is whole again is forgotten', () => {
  let nowMs = 0
  const limiter = new RateLimiter({ perSecond: 1, burst: 2, maxClients: 3, nowMs: () => nowMs })
  const answers = Array.from({ length: 100 }, (_, n) => limiter.take(`client ${n}`))
  expect(answers.filter((waitMs) => waitMs === 0)).toHaveLength(3 + 2)
  expect(limiter.size).toBe(4)
  // Whoever was known keeps what he has used.
  expect([limiter.take('client 0'), limiter.take('client 0')]).toEqual([0, 1_000])
  nowMs = 5_000
  expect(limiter.take('client 50')).toBe(0)
  expect(limiter.size).toBe(1)
})
