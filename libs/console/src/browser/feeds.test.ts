import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StreamEvent } from '../read-events.ts'
import type { Sample } from '../sample.ts'
import { Feeds } from './feeds.ts'

let hear: (event: StreamEvent) => void = () => {}
let feeds: Feeds
let told = 0

beforeEach(() => {
  vi.useFakeTimers()
  told = 0
  feeds = new Feeds('/ui/events', (_url, heard) => {
    hear = heard
    return () => {}
  })
  feeds.listen(() => told++)
  feeds.start()
})
afterEach(() => {
  feeds.stop()
  vi.useRealTimers()
})

const sample = (atMs: number, operations = 0): StreamEvent => {
  const series = { counter_operations_total: operations }
  const data: Sample = { service: 'counter', atMs, series, state: {}, troubles: [] }
  return { event: 'sample', data }
}
const down: StreamEvent = { event: 'down', data: { service: 'counter', why: 'paused' } }
const feed = () => feeds.model.feeds.get('counter')

test('rates are over two seconds, or over what there is; what was before an end does not count', () => {
  for (let atMs = 500; atMs <= 5_000; atMs += 500) hear(sample(atMs))
  expect([feed()?.before?.atMs, feed()?.now?.atMs]).toEqual([3_000, 5_000])
  // A gap that is longer: the last one before it.
  hear(sample(9_000))
  expect(feed()?.before?.atMs).toBe(5_000)
  hear(down)
  hear(sample(9_500))
  expect(feed()?.before).toBeUndefined()
  // A clock that was set back is no time that passed.
  hear(sample(9_000))
  expect(feed()?.before).toBeUndefined()
})

test('two minutes are kept and no more; a line is interrupted where it was down', () => {
  for (let n = 0; n < 1_000; n++) hear(sample(n * 500))
  const [times, applied] = feed()?.history[0] ?? []
  expect([times?.length, applied?.length]).toEqual([240, 240])
  hear(down)
  hear(down)
  expect(feed()?.history[0]?.[1]?.slice(-2)).toEqual([expect.any(Number), null])
})

test('who is silent is slow, says for how long, and is ready again with the next sample; who is down is not slow', () => {
  hear(sample(500))
  vi.advanceTimersByTime(1_500)
  expect(feed()?.silentS).toBe(0)
  vi.advanceTimersByTime(3_000)
  expect(feed()?.silentS).toBe(4)
  hear(sample(5_000))
  expect(feed()?.silentS).toBe(0)
  vi.advanceTimersByTime(3_000)
  hear(down)
  vi.advanceTimersByTime(5_000)
  expect([feed()?.silentS, feed()?.down]).toEqual([0, 'paused'])
})

test('the first change is told at once, and what comes together is told together', () => {
  hear(sample(500))
  expect(told).toBe(1)
  for (let n = 1; n <= 20; n++) hear(sample(500 + n))
  expect(told).toBe(1)
  vi.advanceTimersByTime(100)
  expect([told, feed()?.now?.atMs]).toEqual([2, 520])
})
