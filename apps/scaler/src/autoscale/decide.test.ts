import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide, type AutoscaleConfig, type AutoscaleState } from './decide.ts'
import { minimumAt, parseShift } from './schedule.ts'

const config: AutoscaleConfig = {
  rowsPerWorker: 1_000,
  minWorkers: 2,
  maxWorkers: 20,
  maxStepUp: 4,
  maxStepDown: 1,
  upCooldownMs: 5_000,
  downCooldownMs: 60_000,
  slackPermille: 100,
  schedule: [],
}
const minute = (hour: number): number => hour * 3_600_000 + 3 * 86_400_000
const at = (rows: number, workers: number): AutoscaleState => ({
  rows,
  workers,
  lastUpMs: undefined,
  lastDownMs: undefined,
  enoughSinceMs: undefined,
})

test('fast up: at once, in steps, a cooldown apart', () => {
  const first = decide(at(9_500, 2), config, 0)
  expect(first).toMatchObject({ wanted: 6, reason: '9500 rows need 10' })
  expect(decide(first.next, config, 4_999).wanted).toBe(6)
  expect(decide(first.next, config, 5_000).wanted).toBe(10)
})

test('slow down: fewer must have been enough for the whole cooldown, then one at a time', () => {
  const seen = decide(at(3_000, 6), config, 0)
  expect(seen).toMatchObject({ wanted: 6, reason: '4 would be enough; fewer in 60 s at the earliest' })
  const interrupted = decide({ ...seen.next, rows: 5_900 }, config, 30_000)
  expect(decide({ ...interrupted.next, rows: 3_000 }, config, 60_000).wanted, 'from the start again').toBe(6)
  const down = decide(seen.next, config, 60_000)
  expect(down.wanted).toBe(5)
  expect(decide(down.next, config, 60_001).wanted).toBe(5)
  expect(decide(down.next, config, 120_000).wanted).toBe(4)
})

test('bounds go before rows: a minimum, a maximum that was lowered, no rows at all', () => {
  expect(decide(at(0, 0), config, 0).wanted).toBe(2)
  expect(decide(at(1e9, 18), config, 0).wanted).toBe(20)
  expect(decide(at(1e9, 25), config, 0)).toMatchObject({ wanted: 24, reason: '20 are the most' })
  expect(decide(at(0, 1), { ...config, minWorkers: 0 }, 0).wanted).toBe(1)
})

const configs = fc
  .record({
    rowsPerWorker: fc.integer({ min: 1, max: 10_000 }),
    minWorkers: fc.integer({ min: 0, max: 10 }),
    more: fc.integer({ min: 0, max: 40 }),
    maxStepUp: fc.integer({ min: 1, max: 10 }),
    maxStepDown: fc.integer({ min: 1, max: 10 }),
    upCooldownMs: fc.integer({ min: 0, max: 30_000 }),
    downCooldownMs: fc.integer({ min: 0, max: 300_000 }),
    slackPermille: fc.integer({ min: 0, max: 500 }),
  })
  .map(({ more, ...rest }): AutoscaleConfig => ({
    ...rest,
    maxWorkers: Math.max(1, rest.minWorkers + more),
    schedule: [],
  }))

/** A day in steps of ten seconds, with the rows of each. */
function live(config: AutoscaleConfig, workers: number, rowsAt: (step: number) => number, steps: number): number[] {
  let state = at(rowsAt(0), workers)
  return Array.from({ length: steps }, (_, step) => {
    const { next, wanted } = decide({ ...state, rows: rowsAt(step) }, config, step * 10_000)
    state = next
    return wanted
  })
}

test('with constant rows it settles within the bounds, on enough workers, without ever turning back', () => {
  fc.assert(
    fc.property(configs, fc.nat(200_000), fc.integer({ min: 0, max: 60 }), (any, rows, workers) => {
      const seen = live(any, workers, () => rows, 2_500)
      const last = seen.at(-1) ?? -1
      expect(last).toBeGreaterThanOrEqual(any.minWorkers)
      expect(last).toBeLessThanOrEqual(any.maxWorkers)
      expect(last).toBeGreaterThanOrEqual(Math.min(any.maxWorkers, Math.ceil(rows / any.rowsPerWorker)))
      const directions = seen
        .map((wanted, i) => Math.sign(wanted - (seen[i - 1] ?? workers)))
        .filter((sign) => sign !== 0)
      expect(new Set(directions).size).toBeLessThanOrEqual(1)
    }),
  )
})

test('no step is larger than allowed, none up or down before its cooldown is over', () => {
  const rows = fc.array(fc.nat(100_000), { minLength: 50, maxLength: 200 })
  fc.assert(
    fc.property(configs, rows, (any, sequence) => {
      const seen = live(any, any.minWorkers, (step) => sequence[step] ?? 0, sequence.length)
      let lastMs = Number.NEGATIVE_INFINITY
      for (const [step, wanted] of seen.entries()) {
        const change = wanted - (seen[step - 1] ?? any.minWorkers)
        expect(change).toBeLessThanOrEqual(any.maxStepUp)
        expect(-change).toBeLessThanOrEqual(any.maxStepDown)
        if (change === 0) continue
        expect(step * 10_000 - lastMs).toBeGreaterThanOrEqual(change > 0 ? any.upCooldownMs : any.downCooldownMs)
        lastMs = step * 10_000
      }
    }),
  )
})

test('rows that waver within the slack around a threshold move nobody', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 15 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
      (workers, noise) => {
        // From the first row that needs so many workers, down to where one fewer would be filled to 1 - slack.
        const top = workers * config.rowsPerWorker
        const bottom = (workers - 1) * config.rowsPerWorker * 0.9 + 1
        const seen = live(
          config,
          workers,
          (step) => Math.ceil(bottom + (noise[step] ?? 0) * (top - bottom)),
          noise.length,
        )
        expect(new Set(seen).size).toBeLessThanOrEqual(1)
      },
    ),
  )
})

test('a schedule raises the minimum at times of the day, past midnight too', () => {
  const schedule = [parseShift('08:00-18:00=5'), parseShift('22:30-02:00=9')]
  expect([7, 8, 17, 18, 22, 23, 0, 1, 2].map((hour) => minimumAt(schedule, minute(hour)))).toEqual([
    0, 5, 5, 0, 0, 9, 9, 9, 0,
  ])
  expect(decide(at(0, 2), { ...config, schedule }, minute(9)).wanted).toBe(5)
  expect(decide(at(0, 2), { ...config, schedule, maxWorkers: 3 }, minute(9)).wanted, 'the maximum goes first').toBe(3)
  for (const wrong of ['8-18=5', '08:00-24:00=5', '08:00-18:00', '']) {
    expect(() => parseShift(wrong)).toThrow(/is no time of the day with a minimum: write 08:00-18:00=5/)
  }
})
