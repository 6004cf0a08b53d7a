import type { Backlog } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { DrainRate } from './drain-rate.ts'

const backlog = (bytes: number, settledBytes: number, entries = 10): Backlog => ({
  entries,
  documents: 0,
  bytes,
  oldestAgeMs: 0,
  parkedEntries: 0,
  deadLetters: 0,
  appendedDocuments: 0n,
  settledDocuments: 0n,
  settledBytes: BigInt(settledBytes),
})
const bounds = { maxBytes: 1000, maxEntries: 100 }

test('nothing known or nothing drained: the longest wait', () => {
  const rate = new DrainRate()
  expect(rate.retryAfterSeconds(bounds)).toBe(60)
  rate.sample(backlog(1000, 500), 0)
  rate.sample(backlog(1000, 500), 1000)
  expect(rate.retryAfterSeconds(bounds)).toBe(60)
})

test('the time until a tenth of the bound is free', () => {
  const rate = new DrainRate()
  rate.sample(backlog(1000, 0), 0)
  rate.sample(backlog(1000, 50), 2000)
  expect(rate.bytesPerSecond).toBe(25)
  expect(rate.retryAfterSeconds(bounds)).toBe(4)
  expect(rate.retryAfterSeconds({ maxBytes: 1_000_000, maxEntries: 100 })).toBe(1)
  expect(rate.retryAfterSeconds({ maxBytes: 1_000_000, maxEntries: 10 })).toBe(4)
})

test('forgets what is older than its window', () => {
  const rate = new DrainRate(1000)
  rate.sample(backlog(0, 0), 0)
  rate.sample(backlog(0, 1_000_000), 1000)
  rate.sample(backlog(0, 1_000_100), 2000)
  expect(rate.bytesPerSecond).toBe(100)
})
