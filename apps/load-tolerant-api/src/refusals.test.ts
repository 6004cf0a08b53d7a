import { expect, test } from 'vitest'
import { Refusals } from './refusals.ts'

test('a full queue is believed for a moment, then asked again', () => {
  let nowMs = 0
  const refusals = new Refusals(() => nowMs)
  expect(refusals.boundOfFullQueue).toBeUndefined()
  refusals.sawFull('age')
  nowMs = 49
  expect(refusals.boundOfFullQueue).toBe('age')
  nowMs = 50
  expect(refusals.boundOfFullQueue).toBeUndefined()
})

test('the same refusal is the same object; another bound or time is told', () => {
  const refusals = new Refusals()
  const first = refusals.queueFull('bytes', 7)
  expect(refusals.queueFull('bytes', 7)).toBe(first)
  expect(refusals.queueFull('bytes', 8).headers).toEqual({ 'retry-after': '8' })
  expect(refusals.queueFull('age', 8).message).toContain('age')
})
