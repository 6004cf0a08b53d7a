import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reserve } from './slot.ts'

const intervalMs = 1000 / (0.95 * 100)

test('no sliding second holds more than the cap, however the callers come, stall and end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ idleMs: fc.nat(40), stallMs: fc.nat(60), commandMs: fc.nat(30) }), {
        minLength: 1,
        maxLength: 400,
      }),
      (steps) => {
        let [nowMs, nextMs, endedMs] = [1_800_000_000_000, 0, -Infinity]
        const times: number[] = []
        for (const { idleMs, stallMs, commandMs } of steps) {
          nowMs += idleMs
          const slot = reserve(nextMs, nowMs, { budget: 'x', intervalMs, sinceLastMs: nowMs - endedMs })
          nextMs = slot.nextMs
          const startMs = Math.max(nowMs, slot.slotMs) + stallMs
          endedMs = startMs + commandMs
          // The store may run the command at any time in between; both ends are the worst cases.
          times.push(times.length % 2 === 0 ? endedMs : startMs)
          nowMs = endedMs
        }
        for (const from of times) {
          expect(times.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(100)
        }
      },
    ),
  )
})

test('a second after the clock was set back everything is as before', () => {
  const request = { budget: 'x', intervalMs: 10, sinceLastMs: Infinity }
  const hourAhead = 1_800_003_600_000
  const slot = reserve(hourAhead, 1_800_000_000_000, request)
  expect(slot.slotMs - 1_800_000_000_000).toBe(1000)
  expect(reserve(slot.nextMs, slot.slotMs, request).slotMs - slot.slotMs).toBe(10)
})
