import { createMetrics } from '@ballast/metrics'
import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { Heart } from './heart.ts'
import { workerMetrics } from './metrics.ts'
import { StoreClock } from './store-clock.ts'
import { ClockJumpError, SupersededError, Ticker } from './ticker.ts'

async function oneWorker() {
  let storeMs = 1_000_500
  let ownMs = 0
  const store = openMemoryWorkItems({ slots: 4, nowMs: () => storeMs })
  const leader = await store.leaders.campaign('control', 3_600_000)
  if (leader === undefined) throw new Error('no leader')
  const identity = { name: 'w', incarnation: 'first' }
  const registration = { weight: 1, ttlMs: 3_600_000 }
  const lease = await store.workers.register(identity, registration)
  await store.leaders.publish(
    leader,
    [0, 1, 2, 3].map((slot) => ({ slot, to: 'w' })),
  )
  await store.leaders.takeOver(leader)
  const monotonicMs = () => ownMs
  const ticker = new Ticker(lease, {
    workers: store.workers,
    clock: new StoreClock(monotonicMs),
    monotonicMs,
    phaseMs: 100,
    metrics: workerMetrics(createMetrics({ service: 'test', processMetrics: false })),
    ticked: async () => {},
  })
  await store.rows.add({ count: 3 })
  const pass = (ms: number, clockMs = ms) => {
    ownMs += ms
    storeMs += clockMs
  }
  const values = async () => (await store.rows.list(undefined, 10)).map(({ value }) => value)
  return { store, ticker, pass, values, monotonicMs, registration }
}

test('refused under an old fence, it goes on with the current one in the same step', async () => {
  const { ticker, pass, values } = await oneWorker()
  expect(ticker.lease.slots).toEqual([])
  pass(1_000)
  await ticker.step()
  expect(ticker.lease.slots).toEqual([0, 1, 2, 3])
  await expect(values()).resolves.toEqual([1, 1, 1])
})

test('when the clock of the store jumps nothing is ticked, and all goes on when it is back', async () => {
  const { ticker, pass, values } = await oneWorker()
  await ticker.step()
  pass(1_000, 3_601_000)
  await expect(ticker.step()).rejects.toThrow(ClockJumpError)
  await expect(values()).resolves.toEqual([0, 0, 0])
  pass(1_000, -3_599_000)
  await ticker.step()
  await expect(values()).resolves.toEqual([2, 2, 2])
})

test('a process that slept for long is late, not out of time', async () => {
  const { ticker, pass, values } = await oneWorker()
  await ticker.step()
  pass(600_000)
  await ticker.step()
  await expect(values()).resolves.toEqual([600, 600, 600])
  expect(ticker.longestGapTicks).toBe(600)
})

test('another process under the same name ends this one, by its tick and by its heart', async () => {
  const { store, ticker, pass, monotonicMs, registration } = await oneWorker()
  await ticker.step()
  await store.workers.register({ name: 'w', incarnation: 'second' }, registration)
  pass(1_000)
  const heart = new Heart({ workers: store.workers, ticker, ttlMs: 3_000, monotonicMs, onDraining: () => {} })
  await expect(ticker.step()).rejects.toThrow(SupersededError)
  await expect(heart.step()).rejects.toThrow(SupersededError)
})

test('a worker that does not get to tick falls silent, so that others take its rows', async () => {
  const { store, ticker, pass, monotonicMs } = await oneWorker()
  let drains = 0
  const heart = new Heart({
    workers: store.workers,
    ticker,
    ttlMs: 3_000,
    monotonicMs,
    onDraining: () => (drains += 1),
  })
  await store.workers.drain({ name: 'w' })
  await heart.step()
  await heart.step()
  expect([heart.draining, heart.otherTakers, drains]).toEqual([true, 0, 1])
  pass(11_000)
  await heart.step()
  const [member] = await store.leaders.members()
  expect(member?.alive, 'the last sign of life was 11 s ago and good for 3 s').toBe(false)
})
