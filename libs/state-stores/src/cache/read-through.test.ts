import { expect, test } from 'vitest'
import { memoryCache } from './memory.ts'
import { ReadThrough } from './read-through.ts'

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

function setUp(random = () => 1) {
  const clock = { nowMs: 1_000_000 }
  const now = (): number => clock.nowMs
  const calls: PromiseWithResolvers<string | undefined>[] = []
  const reads = new ReadThrough({
    cache: memoryCache({ now }),
    load: () => {
      const call = Promise.withResolvers<string | undefined>()
      calls.push(call)
      return call.promise
    },
    ttlMs: 1000,
    staleMs: 500,
    negativeTtlMs: 100,
    retryMs: 50,
    now,
    random,
  })
  return { clock, calls, reads }
}

test('a thousand callers that miss together cost one load, later ones none', async () => {
  const { calls, reads } = setUp()
  const all = Promise.all(Array.from({ length: 1000 }, () => reads.read('hot')))
  await settle()
  expect(calls).toHaveLength(1)
  calls[0]?.resolve('value')
  expect(new Set(await all)).toEqual(new Set(['value']))
  expect(await reads.read('hot')).toBe('value')
  expect(reads.counts).toEqual({ hits: 1, stale: 0, misses: 1000, loads: 1, early: 0, failedLoads: 0 })
})

test('a stale value is served at once while one load refreshes it', async () => {
  const { clock, calls, reads } = setUp()
  const first = reads.read('hot')
  await settle()
  calls[0]?.resolve('old')
  await first
  clock.nowMs += 1000
  expect(await Promise.all([reads.read('hot'), reads.read('hot')])).toEqual(['old', 'old'])
  expect(calls).toHaveLength(2)
  calls[1]?.resolve('new')
  await settle()
  expect(await reads.read('hot')).toBe('new')
})

test('a failed refresh keeps the stale value and is not repeated at once', async () => {
  const { clock, calls, reads } = setUp()
  const first = reads.read('hot')
  await settle()
  calls[0]?.resolve('old')
  await first
  clock.nowMs += 1000
  await reads.read('hot')
  calls[1]?.reject(new Error('down'))
  await settle()
  expect(await reads.read('hot')).toBe('old')
  expect(calls).toHaveLength(2)
  clock.nowMs += 50
  await reads.read('hot')
  expect(calls).toHaveLength(3)
  expect(reads.counts.failedLoads).toBe(1)
})

test('without a stale value the error of the load reaches the callers, and is repeated for a moment', async () => {
  const { clock, calls, reads } = setUp()
  const read = reads.read('hot')
  await settle()
  calls[0]?.reject(new Error('down'))
  await expect(read).rejects.toThrow('down')
  await expect(reads.read('hot')).rejects.toThrow('down')
  expect(calls).toHaveLength(1)
  clock.nowMs += 50
  const again = reads.read('hot')
  await settle()
  calls[1]?.resolve('up')
  expect(await again).toBe('up')
})

test('the absence of a value is believed for its own, shorter time', async () => {
  const { clock, calls, reads } = setUp()
  const first = reads.read('hot')
  await settle()
  calls[0]?.resolve(undefined)
  expect(await first).toBeUndefined()
  expect(await reads.read('hot')).toBeUndefined()
  expect(calls).toHaveLength(1)
  clock.nowMs += 100
  const again = reads.read('hot')
  await settle()
  calls[1]?.resolve('there')
  expect(await again).toBe('there')
})

test('a fresh value is refreshed early, the likelier the longer a load takes and the nearer the end; readers do not wait', async () => {
  // -ln(e^-3) = 3: due when three load times are left.
  const { clock, calls, reads } = setUp(() => Math.exp(-3))
  const first = reads.read('hot')
  await settle()
  clock.nowMs += 100
  calls[0]?.resolve('old')
  await first
  clock.nowMs += 699
  expect(await reads.read('hot')).toBe('old')
  expect(calls).toHaveLength(1)
  clock.nowMs += 1
  expect(await Promise.all([reads.read('hot'), reads.read('hot')])).toEqual(['old', 'old'])
  expect(calls).toHaveLength(2)
  calls[1]?.resolve('new')
  await settle()
  expect(await reads.read('hot')).toBe('new')
  expect(reads.counts).toMatchObject({ early: 1, loads: 2, stale: 0 })
})
