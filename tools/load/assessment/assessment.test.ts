import { expect, test } from 'vitest'
import { Histogram } from '../histogram.ts'
import { parseWrk } from '../wrk/run-wrk.ts'
import { comparison } from './comparison.ts'
import { passes, scaled, stages, summaryTable } from './plan.ts'
import { secondsCutOff, steps } from './run-stages.ts'

const good = {
  generator: 'wrk',
  users: 1000,
  seconds: 10,
  requests: 5000,
  p95Ms: 900,
  p99Ms: 1500,
  errorRate: 0,
  failedRate: 0,
}

test('the stages are the original 13 minutes; scales change users and seconds', () => {
  expect(stages.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(780)
  expect(scaled(0.1, 0.05)[3]).toEqual({ seconds: 15, users: 1000 })
})

test('ramps become steps that have the same user-seconds; a plateau is one run', () => {
  const all = steps(stages)
  const userSeconds = all.reduce((sum, { seconds, users }) => sum + seconds * users, 0)
  expect(userSeconds).toBe(60 * 500 + 120 * 3000 + 180 * 7500 + 300 * 10_000 + 120 * 5000)
  expect(all.filter(({ users }) => users === 10_000)).toEqual([{ seconds: 300, users: 10_000 }])
})

test('a ramp is made of runs of whole seconds, as wrk has no others', () => {
  for (const timeScale of [0.02, 0.05, 0.1, 0.5]) {
    const all = steps(scaled(1, timeScale))
    expect(all.every(({ seconds }) => Number.isInteger(seconds))).toBe(true)
    const seconds = scaled(1, timeScale).reduce((sum, stage) => sum + stage.seconds, 0)
    expect(all.reduce((sum, step) => sum + step.seconds, 0)).toBe(seconds)
  }
})

test('users whose answers take half a second have three and a half of them in two seconds, not four', () => {
  expect([3.5 / (2 - secondsCutOff(500, 2)), secondsCutOff(10_000, 2)]).toEqual([2, 1])
})

test('two generators agree when nothing differs by more than a tenth', () => {
  expect(comparison(good, { ...good, generator: 'k6', requests: 4600 })).toEqual({
    text: 'wrk and k6 differ by: requests a second 8.0 %, p95 0.0 %, errors 0.0 %; they agree within 10 %',
    agree: true,
  })
  expect(comparison(good, { ...good, p95Ms: 780 }).agree).toBe(false)
  expect(comparison(good, { ...good, errorRate: 0.2 }).agree).toBe(false)
})

test('the table shows each threshold, and one that fails fails the whole', () => {
  expect(summaryTable(good)).toContain('all thresholds pass')
  expect(summaryTable({ ...good, errorRate: 0.02 })).toMatch(/error_rate +2\.000 % +< 1 +FAIL[^]*a threshold FAILED$/)
  expect([passes({ ...good, p99Ms: 5000 }), passes({ ...good, requests: 0 })]).toEqual([false, false])
})

test('what the script of wrk prints is read; without it is an error', () => {
  const text = 'Running 1s test\n\nballast 10 2 1 3 4 1500000 11\nms 5 9\nms 2000 1\n'
  const { latencies, ...counts } = parseWrk(text)
  expect(counts).toEqual({ seconds: 1.5, answers: 10, bad: 2, refusals: 1, socketErrors: 3, timeouts: 4 })
  expect([latencies.total, latencies.percentile(50), latencies.percentile(95), latencies.countFrom(2000)]).toEqual([
    10, 5, 2000, 1,
  ])
  expect(() => parseWrk('unable to connect')).toThrow('unable to connect')
})

test('histograms add up', () => {
  const [one, two] = [new Histogram(), new Histogram()]
  one.add(0.4)
  two.add(3, 3)
  one.addAll(two)
  expect([one.total, one.meanMs, one.percentile(25), one.percentile(26)]).toEqual([4, 2.5, 1, 3])
})
