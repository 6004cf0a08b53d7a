import { expect, test } from 'vitest'
import { Pacing } from './pacing.ts'

const pacing = () => new Pacing({ joinSettleMs: 500, rebalanceIntervalMs: 5_000 })

test('a loss is repaired at once, always', () => {
  const pace = pacing()
  pace.acted(0)
  expect(pace.mayAct('left', 1)).toBe(true)
})

test('a join waits for others from the moment it is seen', () => {
  const pace = pacing()
  expect(pace.mayAct('joined', 1_000)).toBe(false)
  expect(pace.mayAct('joined', 1_499)).toBe(false)
  expect(pace.mayAct('joined', 1_500)).toBe(true)
  pace.acted(1_500)
  expect(pace.mayAct('joined', 1_600), 'the next join waits anew').toBe(false)
})

test('a join that went away again is forgotten', () => {
  const pace = pacing()
  pace.mayAct('joined', 0)
  expect(pace.mayAct(undefined, 400)).toBe(false)
  expect(pace.mayAct('joined', 600)).toBe(false)
})

test('uneven loads move rows only every so often', () => {
  const pace = pacing()
  expect(pace.mayAct('uneven', 0)).toBe(true)
  pace.acted(0)
  expect(pace.mayAct('uneven', 4_999)).toBe(false)
  expect(pace.mayAct('uneven', 5_000)).toBe(true)
})

test('whatever the cause, plans are few: two at once, then so many a second', () => {
  const pace = new Pacing({ joinSettleMs: 0, rebalanceIntervalMs: 0, maxPlansPerSecond: 2 })
  let plans = 0
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 50) {
    if (!pace.mayAct('left', nowMs)) continue
    pace.acted(nowMs)
    plans += 1
  }
  expect(plans).toBeGreaterThanOrEqual(20)
  expect(plans).toBeLessThanOrEqual(22)
})
