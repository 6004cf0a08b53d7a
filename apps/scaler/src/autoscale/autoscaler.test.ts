import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { Autoscaler } from './autoscaler.ts'

const limits = {
  rowsPerWorker: 10,
  minWorkers: 1,
  maxWorkers: 5,
  maxStepUp: 2,
  maxStepDown: 2,
  upCooldownMs: 0,
  downCooldownMs: 10_000,
  slackPermille: 0,
  schedule: [],
}
const hourMs = 3_600_000

async function scene({ running = 0, dryRun = false }: { running?: number | 'none'; dryRun?: boolean } = {}) {
  let nowMs = 1_000_000
  let paused = false
  let workers = running === 'none' ? undefined : running
  const store = openMemoryWorkItems({ slots: 8, nowMs: () => nowMs })
  const leader = await store.leaders.campaign('control', hourMs)
  if (leader === undefined) throw new Error('no leader')
  const told: number[] = []
  const target = {
    name: 'fake',
    current: async () => workers,
    async scaleTo(count: number) {
      told.push(count)
      workers = count
    },
    workerName: (number: number) => `w-${number}`,
    [Symbol.asyncDispose]: async () => {},
  }
  const log = { info: () => {} }
  const autoscaler = new Autoscaler({
    store,
    target,
    dryRun,
    log,
    nowMs: () => nowMs,
    config: () => ({ ...limits, paused }),
  })
  const join = (name: string) => store.workers.register({ name, incarnation: name }, { weight: 1, ttlMs: hourMs })
  const own = async (to: string) => {
    await store.leaders.publish(
      leader,
      Array.from({ length: 8 }, (_, slot) => ({ slot, to })),
    )
    await store.leaders.takeOver(leader)
  }
  return {
    store,
    autoscaler,
    told,
    join,
    own,
    pass: (ms: number) => (nowMs += ms),
    pause: (on: boolean) => (paused = on),
    draining: async () => (await store.leaders.members()).filter(({ draining }) => draining).map(({ name }) => name),
  }
}

test('up: the target is told, in steps, and the history says why', async () => {
  const { autoscaler, told, store } = await scene()
  await autoscaler.step(45)
  await autoscaler.step(45)
  await autoscaler.step(45)
  await autoscaler.step(45)
  expect(told).toEqual([2, 4, 5])
  expect(autoscaler.status).toMatchObject({ workers: 5, wanted: 5, reason: 'as many as are needed' })
  await expect(store.leaders.history(1)).resolves.toMatchObject([
    { kind: 'scaled', detail: { from: 4, to: 5, reason: '45 rows need 5' } },
  ])
})

test('down: the highest numbers are drained first, and go when they own nothing', async () => {
  const { autoscaler, told, join, own, pass, draining, store } = await scene({ running: 3 })
  const leases = await Promise.all(['w-0', 'w-1', 'w-2'].map(join))
  await own('w-2')
  await autoscaler.step(5)
  pass(10_000)
  await autoscaler.step(5)
  expect(autoscaler.status).toMatchObject({ wanted: 1, leaving: ['w-1', 'w-2'] })
  await expect(draining()).resolves.toEqual(['w-1', 'w-2'])
  await autoscaler.step(5)
  expect(told, 'w-2 still owns rows').toEqual([])
  await own('w-0')
  const [, , third] = leases
  if (third === undefined) throw new Error('no third worker')
  const fenced = await store.workers.handOver(third)
  if (fenced.kind === 'superseded') throw new Error('superseded')
  await store.workers.handOver(fenced.lease)
  await autoscaler.step(99)
  expect(told, 'what was begun is seen through').toEqual([1])
  await autoscaler.step(99)
  expect(told).toEqual([1, 3])
})

test('paused, dry or without a target it decides and shows, and does nothing', async () => {
  const dry = await scene({ dryRun: true })
  await dry.autoscaler.step(45)
  expect([dry.told, dry.autoscaler.status?.wanted]).toEqual([[], 2])
  const paused = await scene()
  paused.pause(true)
  await paused.autoscaler.step(45)
  expect([paused.told, paused.autoscaler.status?.wanted]).toEqual([[], 2])
  paused.pause(false)
  await paused.autoscaler.step(45)
  expect(paused.told).toEqual([2])
  const without = await scene({ running: 'none' })
  await without.join('w-0')
  await without.autoscaler.step(45)
  expect([without.told, without.autoscaler.status]).toMatchObject([[], { workers: 1, wanted: 3 }])
})

test('another leader takes over: nothing is remembered, and nobody goes at once', async () => {
  const { autoscaler, told, pass } = await scene({ running: 3 })
  await autoscaler.step(5)
  pass(10_000)
  autoscaler.rest()
  expect(autoscaler.status).toBeUndefined()
  await autoscaler.step(5)
  expect(told).toEqual([])
})

test('a way down that was begun is seen through by the next leader; one that is out of date is forgotten', async () => {
  const { autoscaler, told, join, own, pass, draining, store } = await scene({ running: 3 })
  const leases = await Promise.all(['w-0', 'w-1', 'w-2'].map(join))
  await own('w-2')
  await autoscaler.step(5)
  pass(10_000)
  await autoscaler.step(5)
  await expect(draining()).resolves.toEqual(['w-1', 'w-2'])
  autoscaler.rest()
  await own('w-0')
  const [, , third] = leases
  if (third === undefined) throw new Error('no third worker')
  const fenced = await store.workers.handOver(third)
  if (fenced.kind === 'superseded') throw new Error('superseded')
  await store.workers.handOver(fenced.lease)
  await autoscaler.step(25)
  expect(told, 'those two would stay behind without any rows').toEqual([1])
  await expect(store.operator.limits()).resolves.toEqual({})

  await store.operator.setLimits({ autoscaleDownFrom: 7, autoscaleDownTo: 1 })
  autoscaler.rest()
  await autoscaler.step(25)
  expect(told).toEqual([1, 3])
  await expect(store.operator.limits()).resolves.toEqual({})
})
