import { createMetrics } from '@ballast/metrics'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { Leadership } from './leadership.ts'
import { controlMetrics } from './metrics.ts'
import type { Strategy } from './strategy.ts'

const ttlMs = 3_000

async function scene(options: { maxPlansPerSecond?: number; maxJoinsPerSecond?: number; strategy?: Strategy } = {}) {
  let nowMs = 1_000_000
  let away = false
  let broken = false
  const memory = openMemoryWorkItems({ slots: 64, nowMs: () => nowMs })
  const fail = () => {
    if (away) throw new NotAppliedError('PostgreSQL is unreachable')
  }
  const store: WorkItemStore = {
    ...memory,
    leaders: {
      ...memory.leaders,
      campaign: async (...args) => (fail(), memory.leaders.campaign(...args)),
      members: async () => {
        if (broken) throw new NotAppliedError('integer out of range')
        return memory.leaders.members()
      },
      renew: async (...args) => (fail(), memory.leaders.renew(...args)),
    },
  }
  const log = { info: () => {}, warn: () => {} }
  const pacing = { joinSettleMs: 0, rebalanceIntervalMs: 1_000, tolerance: 0.01 }
  const metrics = controlMetrics(createMetrics({ service: 'test', processMetrics: false }), () => true)
  const leadership = new Leadership(
    store,
    { name: 'c', ttlMs: 1_000, ...pacing, ...options },
    { log, metrics, nowMs: () => nowMs },
  )
  const leases = new Map<string, Awaited<ReturnType<typeof memory.workers.register>>>()
  const join = async (...names: string[]) => {
    for (const name of names) {
      leases.set(name, await memory.workers.register({ name, incarnation: name }, { weight: 1, ttlMs }))
    }
  }
  const report = { ttlMs, rows: 0, lastTickMs: 0, longestGapTicks: 0 }
  const beat = async (...names: string[]) => {
    for (const name of names) await memory.workers.heartbeat({ name, incarnation: name }, report)
  }
  const planned = async () => (await memory.leaders.history(1_000)).filter(({ kind }) => kind === 'planned').length
  /** Steps as often as a control plane does. */
  const run = async (ms: number, alive: readonly string[]) => {
    for (let passed = 0; passed < ms; passed += 250) {
      nowMs += 250
      await beat(...alive)
      await leadership.step().catch(() => {})
    }
  }
  const targets = () => new Set(memory.state.targets)
  return {
    memory,
    leadership,
    join,
    run,
    planned,
    targets,
    lose: (on: boolean) => (away = on),
    breakLeading: (on: boolean) => (broken = on),
    pass: (ms: number) => (nowMs += ms),
  }
}

test('after an outage in which every lease ran out, workers have time to be heard again before anybody is held for dead', async () => {
  const { join, run, planned, targets, lose, pass, leadership } = await scene()
  await join('a', 'b', 'c')
  await run(1_000, ['a', 'b', 'c'])
  const before = await planned()
  lose(true)
  pass(20_000)
  await expect(leadership.step()).rejects.toThrow('unreachable')
  lose(false)
  await run(1_000, ['a'])
  expect(await planned(), 'only one was heard of yet').toBe(before)
  await run(3_000, ['a', 'b', 'c'])
  expect(await planned()).toBe(before)
  expect(targets().size).toBe(3)
  lose(true)
  await expect(leadership.step()).rejects.toThrow('unreachable')
  lose(false)
  await run(6_000, ['a', 'b'])
  expect(targets(), 'one that stays silent is replaced all the same').toEqual(new Set(['a', 'b']))
})

test('leading that fails each time is told, until this one or another leads; a store that is away is not such a failure', async () => {
  const { memory, run, lose, breakLeading, leadership } = await scene()
  await run(1_000, [])
  lose(true)
  await run(20_000, [])
  lose(false)
  expect(leadership.failure).toBeUndefined()
  await run(3_000, [])
  breakLeading(true)
  await run(250, [])
  expect(leadership.failure, 'one failure may be a busy database').toBeUndefined()
  await run(5_000, [])
  expect(leadership.failure).toBe('integer out of range')
  breakLeading(false)
  await run(3_000, [])
  expect(leadership.failure).toBeUndefined()
  breakLeading(true)
  await run(5_000, [])
  expect(leadership.failure).toBe('integer out of range')
  memory.state.leader = { name: 'other', fence: { epoch: 99n, nonce: 'n' }, expiresAtMs: Number.MAX_SAFE_INTEGER }
  await run(3_000, [])
  expect(leadership.failure, 'another one leads').toBeUndefined()
})

test('a loss without an outage is repaired in the first step that sees it', async () => {
  const { join, run, targets } = await scene()
  await join('a', 'b')
  await run(1_000, ['a', 'b'])
  await run(ttlMs, ['a'])
  expect(targets()).toEqual(new Set(['a']))
})

test('workers that come and go all the time cost so many plans and no more', async () => {
  const { join, run, planned } = await scene({ maxPlansPerSecond: 1 })
  await join('a')
  for (let turn = 0; turn < 40; turn++) {
    await join(`flapping-${turn}`)
    await run(500, ['a'])
  }
  expect(await planned()).toBeGreaterThan(5)
  expect(await planned(), 'in twenty seconds').toBeLessThanOrEqual(22)
})

test('a crowd of newcomers is let in by and by', async () => {
  const { join, run, targets } = await scene({ maxJoinsPerSecond: 4, maxPlansPerSecond: 100 })
  const names = Array.from({ length: 12 }, (_, i) => `w-${String(i).padStart(2, '0')}`)
  await join(...names)
  await run(250, names)
  expect(targets().size).toBe(4)
  await run(3_000, names)
  expect(targets().size).toBe(12)
})

test('a strategy takes over a map that another one has made, and a change of weights, without a join or a loss', async () => {
  const { memory, join, run, targets } = await scene({ strategy: 'rendezvous' })
  await join('a', 'b')
  memory.state.targets.fill('a', 0, 32)
  memory.state.targets.fill('b', 32)
  const before = [...memory.state.targets]
  await run(500, ['a', 'b'])
  expect(memory.state.targets).not.toEqual(before)
  expect(targets()).toEqual(new Set(['a', 'b']))
  const slotsOfA = () => memory.state.targets.filter((target) => target === 'a').length
  expect(slotsOfA()).toBeLessThan(50)
  await memory.workers.register({ name: 'a', incarnation: 'a' }, { weight: 20, ttlMs })
  await run(2_000, ['a', 'b'])
  expect(slotsOfA()).toBeGreaterThan(50)
})

test('a plan that a fail-over has lost is made again', async () => {
  const { memory, join, run, targets } = await scene()
  await join('a', 'b')
  await run(500, ['a', 'b'])
  const { mapVersion } = memory.state
  await join('c')
  const former = [...memory.state.targets]
  const published = memory.state.mapVersion
  await run(500, ['a', 'b', 'c'])
  expect(targets().size).toBe(3)
  // The standby had everything but the last plan; the leader's time in office goes on.
  memory.state.targets.splice(0, former.length, ...former)
  memory.state.mapVersion = published
  expect(published).toBeGreaterThan(mapVersion)
  await run(1_000, ['a', 'b', 'c'])
  expect(targets().size).toBe(3)
})

test('a resume whose beginner is gone is seen through by the leader', async () => {
  const { memory, leadership } = await scene()
  let resumed = 0
  const store: WorkItemStore = {
    ...memory,
    operator: {
      ...memory.operator,
      pauseState: async () => ({ pausedSinceMs: 1, resuming: resumed === 0, skips: 0n, mapVersion: 0n }),
      resume: async () => void (resumed += 1),
    },
  }
  const metrics = controlMetrics(createMetrics({ service: 'test', processMetrics: false }), () => true)
  const log = { info: () => {}, warn: () => {} }
  const other = new Leadership(
    store,
    { name: 'd', ttlMs: 60_000, joinSettleMs: 0, rebalanceIntervalMs: 1_000, tolerance: 0.01 },
    { log, metrics, nowMs: () => 0 },
  )
  await other.step()
  await other.step()
  expect([resumed, leadership.leads, other.leads]).toEqual([1, false, true])
})
