import { createMetrics } from '@ballast/metrics'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { paceOf } from './pace.ts'
import { Scrubber, scrubOnce } from './scrubber.ts'

async function filled(
  count: number,
  onDamage: () => void = () => {},
): Promise<{ store: MemoryBlobStore; digests: string[] }> {
  const store = new MemoryBlobStore({ onDamage })
  const entries = Array.from({ length: count }, (_, index) => ({
    name: { namespace: 'cas', key: `${index}` },
    bytes: Buffer.from(`blob ${index}`.padEnd(10)),
  }))
  const outcomes = await store.putSmall(entries)
  return { store, digests: outcomes.flatMap((outcome) => ('digest' in outcome ? [outcome.digest] : [])) }
}

test.each([0, 1, 99, 250])('a pass over %i blobs reads each at least once, wherever it begins', async (count) => {
  const { store, digests } = await filled(count)
  for (const digest of digests) store.damage(digest)
  const found = await scrubOnce(store, async () => {})
  expect(found.damaged).toBeGreaterThanOrEqual(count)
  expect(found.damaged).toBeLessThanOrEqual(count + 100)
})

test('it goes on and on, counts what it read, and stops at once', async () => {
  let told = 0
  const { store, digests } = await filled(20, () => told++)
  const metrics = createMetrics({ service: 'test', processMetrics: false })
  const errors: unknown[] = []
  const scrubber = new Scrubber({
    store,
    metrics,
    bytesPerSecond: 1e9,
    everyMs: 5,
    onError: (error) => errors.push(error),
  })
  const total = async (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm').exec((await metrics.exposition('')).body)?.[1])
  await waitUntil(async () => (await total('message_store_scrubs_total')) >= 1)
  store.damage(digests[7] ?? '')
  await waitUntil(() => told === 1)
  expect(await total('message_store_scrubbed_bytes_total')).toBeGreaterThanOrEqual(200)
  await scrubber.stop()
  expect(errors).toEqual([])
})

test('a slow one is stopped in the middle', async () => {
  const { store } = await filled(50)
  const metrics = createMetrics({ service: 'test', processMetrics: false })
  const errors: unknown[] = []
  const scrubber = new Scrubber({
    store,
    metrics,
    bytesPerSecond: 1,
    everyMs: 1,
    onError: (error) => errors.push(error),
  })
  await waitUntil(async () =>
    /^message_store_scrubbed_bytes_total(\{.*\})? 10$/m.test((await metrics.exposition('')).body),
  )
  await scrubber.stop()
  expect(errors).toEqual([])
})

test('the rate holds on average, and idle time is no credit', async () => {
  let nowMs = 0
  const stop = new AbortController()
  const pace = paceOf(1_000_000, stop.signal, () => nowMs)
  nowMs = 60_000
  // 20 ms of credit and 20 ms of patience: the third piece of 20 kB waits.
  await pace(20_000)
  await pace(20_000)
  const third = pace(20_000).then(
    () => 'let through',
    () => 'ended',
  )
  stop.abort()
  expect(await third).toBe('ended')
})
