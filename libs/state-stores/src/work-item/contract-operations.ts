import { randomUUID } from 'node:crypto'
import { waitUntil } from '@ballast/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { WorkItemFixture } from './contract.ts'
import type { Leader, WorkerLease, WorkItemStore } from './port.ts'

const longMs = 60_000
const seconds = () => BigInt(Math.floor(Date.now() / 1000))
const report = { ttlMs: longMs, rows: 0, lastTickMs: 0, longestGapTicks: 0 }

/** The part of the contract that is about what people and restarts do to the whole. */
export function describeOperations(name: string, open: () => Promise<WorkItemFixture>): void {
  describe(`work-item store ${name}: operations`, () => {
    let fixture: WorkItemFixture
    let store: WorkItemStore
    let leader: Leader

    beforeEach(async () => {
      fixture = await open()
      store = fixture.store
      const elected = await store.leaders.campaign('control-plane', longMs)
      if (elected === undefined) throw new Error('somebody else leads')
      leader = elected
    })
    afterEach(() => fixture[Symbol.asyncDispose]())

    const join = (worker: string, zone?: string) =>
      store.workers.register(
        { name: worker, incarnation: randomUUID() },
        { weight: 1, ttlMs: longMs, ...(zone !== undefined && { zone }) },
      )
    const aim = (to: string, cause?: string) =>
      store.leaders.publish(
        leader,
        Array.from({ length: store.slots }, (_, slot) => ({ slot, to })),
        cause,
      )
    const soleOwner = async (cause?: string): Promise<WorkerLease> => {
      const lease = await join('a')
      await aim('a', cause)
      await store.leaders.takeOver(leader)
      return current(lease)
    }
    const current = async (lease: WorkerLease): Promise<WorkerLease> => {
      const outcome = await store.workers.handOver(lease)
      if (outcome.kind === 'superseded') throw new Error('superseded')
      return outcome.lease
    }
    const values = async () => (await store.rows.list(undefined, 100)).map(({ value = -1 }) => value)

    test('paused, nothing is ticked under any fence, and the map stays as it is', async () => {
      const former = await soleOwner()
      await store.rows.add({ count: 4 })
      await fixture.rewindRows(5)
      await expect(store.operator.pauseState()).resolves.toEqual({
        pausedSinceMs: undefined,
        resuming: false,
        skips: 0n,
        mapVersion: (await store.leaders.map()).version,
      })
      await expect(store.operator.pause()).resolves.toBe('paused')
      await expect(store.operator.pause()).resolves.toBe('already-paused')
      const refused = await store.workers.tick(former)
      expect(refused).toMatchObject({ kind: 'fenced', lease: { slots: [] } })
      await expect(store.workers.tick(await current(former))).resolves.toMatchObject({ kind: 'ticked', rows: 0 })
      await expect(store.workers.tick(await join('a'))).resolves.toMatchObject({ kind: 'ticked', rows: 0 })
      await expect(values()).resolves.toEqual([0, 0, 0, 0])
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', slots: store.slots }])
      const { pausedSinceMs = 0 } = await store.operator.pauseState()
      expect(Math.abs(Date.now() - pausedSinceMs)).toBeLessThan(30_000)
    })

    test('resumed, the time of the pause is skipped; what was due before it stays due', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 2 })
      await fixture.rewindRows(5)
      const beforePause = seconds()
      await store.operator.pause()
      await waitUntil(() => seconds() > beforePause + 2n)
      await store.rows.add({ count: 1 })
      await store.operator.resume({ catchUp: false })
      const resumedAt = seconds()
      await expect(store.operator.pauseState()).resolves.toEqual({
        pausedSinceMs: undefined,
        resuming: false,
        skips: 1n,
        mapVersion: (await store.leaders.map()).version,
      })
      await expect(store.workers.tick(await current(lease))).resolves.toMatchObject({ rows: expect.any(Number) })
      const slack = Number(seconds() - resumedAt) + 2
      const all = (await values()).toSorted((x, y) => x - y)
      expect(all[0], 'added during the pause').toBeLessThanOrEqual(slack)
      for (const value of all.slice(1)) {
        expect(value).toBeGreaterThanOrEqual(5)
        expect(value).toBeLessThanOrEqual(5 + slack)
      }
    })

    test('resumed to catch up, the pause is credited like any delay', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 2 })
      await store.operator.pause()
      await fixture.rewindRows(50)
      await store.operator.resume({ catchUp: true })
      await store.workers.tick(await current(lease))
      for (const value of await values()) expect(value).toBeGreaterThanOrEqual(50)
      await expect(store.operator.pauseState()).resolves.toMatchObject({ skips: 0n })
      await store.operator.resume({ catchUp: false })
      await expect(store.operator.pauseState(), 'not paused: nothing to resume').resolves.toMatchObject({ skips: 0n })
    })

    test('paused, planned moves are carried out, and the new owner ticks after the pause', async () => {
      const a = await soleOwner()
      const b = await join('b')
      await store.rows.add({ count: 3 })
      await store.operator.pause()
      await aim('b')
      await expect(store.workers.handOver(await current(a))).resolves.toMatchObject({ kind: 'handed-over' })
      await store.operator.resume({ catchUp: true })
      await fixture.rewindRows(2)
      await expect(store.workers.tick(await current(b))).resolves.toMatchObject({ kind: 'ticked', rows: 3 })
      await expect(store.workers.heartbeat(b, report)).resolves.toMatchObject({ kind: 'alive', paused: false })
    })

    test('a worker that is away keeps its slots and gets no others, until it is back', async () => {
      const a = await soleOwner()
      const b = await join('b')
      await store.workers.leave(b, { restartWithinMs: longMs })
      await expect(store.leaders.members()).resolves.toMatchObject([
        { name: 'a', alive: true, away: false },
        { name: 'b', alive: true, away: true },
      ])
      await expect(store.workers.heartbeat(a, report)).resolves.toMatchObject({ otherTakers: 0 })
      await aim('b')
      await expect(store.workers.tick(a)).resolves.toMatchObject({ kind: 'ticked', toHandOver: 0 })
      await expect(store.workers.handOver(a)).resolves.toMatchObject({ slots: 0 })
      await join('b')
      await expect(store.workers.tick(a)).resolves.toMatchObject({ toHandOver: store.slots })
      await aim('a')
      const restarting = await current(a)
      await store.workers.leave(restarting, { restartWithinMs: longMs })
      await expect(store.leaders.takeOver(leader)).resolves.toMatchObject({ slots: 0 })
      expect((await join('a')).slots).toHaveLength(store.slots)
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', away: false }, { name: 'b' }])
    })

    test('what an absent worker should have given is taken over at once, all of it when it does not come back', async () => {
      const a = await soleOwner()
      await join('b')
      await store.leaders.publish(leader, [{ slot: 0, to: 'b' }])
      await store.workers.leave(a, { restartWithinMs: longMs })
      await expect(store.leaders.takeOver(leader)).resolves.toMatchObject({ slots: 1 })
      await store.workers.leave(a, { restartWithinMs: 1 })
      await waitUntil(async () => (await store.leaders.members())[0]?.alive === false)
      await aim('b')
      await expect(store.leaders.takeOver(leader)).resolves.toMatchObject({ slots: store.slots - 1 })
    })

    test('a worker that is drained is gone when it leaves, whatever it says of coming back', async () => {
      const a = await soleOwner()
      await store.workers.drain({ name: 'a' })
      await store.workers.leave(a, { restartWithinMs: longMs })
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', alive: false, away: false }])
    })

    test('zones are known to the leader, and a restart may change them', async () => {
      await join('a', 'eu-1')
      await join('b')
      await expect(store.leaders.members()).resolves.toMatchObject([{ zone: 'eu-1' }, { zone: '' }])
      await join('a', 'eu-2')
      await expect(store.leaders.members()).resolves.toMatchObject([{ zone: 'eu-2' }, { zone: '' }])
    })

    test('explain knows why a row is where it is, and where it was', async () => {
      const id = randomUUID()
      await store.rows.add({ ids: [id] })
      const a = await soleOwner('a joined')
      await expect(store.rows.explain(id)).resolves.toMatchObject({ owner: 'a', cause: 'a joined', formerOwners: [] })
      await join('b')
      await aim('b', 'a is drained')
      await expect(store.rows.explain(id), 'not yet moved').resolves.toMatchObject({ owner: 'a', cause: 'a joined' })
      await store.workers.handOver(a)
      const explained = await store.rows.explain(id)
      expect(explained).toMatchObject({
        owner: 'b',
        cause: 'a is drained',
        ownerAlive: true,
        ownerAway: false,
        formerOwners: [{ owner: 'a', cause: 'a joined', sinceMs: expect.any(Number) }],
      })
      expect(explained?.formerOwners[0]?.sinceMs).toBeLessThanOrEqual((explained?.ownerSinceMs ?? 0) + 1)
      for (let i = 0; i < 4; i++) {
        for (const to of ['a', 'b']) {
          await join('a')
          await aim(to)
          await store.workers.handOver(await join(to === 'a' ? 'b' : 'a'))
        }
      }
      expect((await store.rows.explain(id))?.formerOwners, 'bounded').toHaveLength(5)
    })

    test('limits are merged, and null removes one', async () => {
      await expect(store.operator.limits()).resolves.toEqual({})
      await store.operator.setLimits({ minWorkers: 2, autoscale: true })
      await store.operator.setLimits({ maxWorkers: 9, minWorkers: null })
      await expect(store.operator.limits()).resolves.toEqual({ maxWorkers: 9, autoscale: true })
    })
  })
}
