import { randomUUID } from 'node:crypto'
import { slotOf } from '@ballast/hashing'
import { waitUntil } from '@ballast/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Leader, WorkItemStore, WorkerLease } from './port.ts'
import { describeOperations } from './contract-operations.ts'
import { compareTicks, snapshotTicks } from './tick-check.ts'

/** A fresh, empty store for one test, and what a test must be able to do behind its back. */
export interface WorkItemFixture extends AsyncDisposable {
  readonly store: WorkItemStore
  /** Makes every row look as if it was last ticked so many seconds earlier. */
  rewindRows(seconds: number): Promise<void>
  setValue(id: string, value: number | null): Promise<void>
}

const longMs = 60_000

export function describeWorkItemContract(name: string, open: () => Promise<WorkItemFixture>): void {
  describe(`work-item store ${name}`, () => {
    let fixture: WorkItemFixture
    let store: WorkItemStore
    let leader: Leader

    beforeEach(async () => {
      fixture = await open()
      store = fixture.store
      leader = await lead()
    })
    afterEach(() => fixture[Symbol.asyncDispose]())

    const lead = async (ttlMs = longMs): Promise<Leader> => {
      const elected = await store.leaders.campaign('control-plane', ttlMs)
      if (elected === undefined) throw new Error('somebody else leads')
      return elected
    }
    const join = (worker: string, ttlMs = longMs, incarnation = randomUUID()) =>
      store.workers.register({ name: worker, incarnation }, { weight: 1, ttlMs })
    const aim = async (target: (slot: number) => string | undefined) => {
      const moves = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: target(slot) ?? '' }))
      await store.leaders.publish(
        leader,
        moves.filter(({ to }) => to !== ''),
      )
    }
    /** A worker that owns everything. */
    const soleOwner = async (worker = 'a'): Promise<WorkerLease> => {
      const registered = await join(worker)
      await aim(() => worker)
      await store.leaders.takeOver(leader)
      return refresh(registered)
    }
    const refresh = async (lease: WorkerLease): Promise<WorkerLease> => {
      const outcome = await store.workers.handOver(lease)
      if (outcome.kind === 'superseded') throw new Error('superseded')
      return outcome.lease
    }
    const values = async () => (await store.rows.list(undefined, 1_000)).map(({ value }) => value)

    test('an orphan slot goes to its target, once, and the lease says so', async () => {
      const a = await join('a')
      const b = await join('b')
      await aim((slot) => (slot % 2 === 0 ? 'a' : 'b'))
      await expect(store.leaders.takeOver(leader)).resolves.toEqual({ slots: store.slots, unownedMs: 0 })
      await expect(store.leaders.takeOver(leader)).resolves.toEqual({ slots: 0, unownedMs: 0 })
      const { owners } = await store.leaders.map()
      expect(owners).toEqual(Array.from({ length: store.slots }, (_, slot) => (slot % 2 === 0 ? 'a' : 'b')))
      expect((await refresh(a)).slots.every((slot) => slot % 2 === 0)).toBe(true)
      expect((await refresh(b)).slots).toHaveLength(store.slots / 2)
    })

    test('a tick credits each second that has passed, once', async () => {
      const lease = await soleOwner()
      await expect(store.rows.add({ count: 5 })).resolves.toBe(5)
      await fixture.rewindRows(3)
      const first = await store.workers.tick(lease)
      expect(first).toMatchObject({ kind: 'ticked', rows: 5, saturated: 0, toHandOver: 0 })
      const before = await snapshotTicks(store.rows)
      await waitUntil(async () => {
        const [one, two] = [await store.workers.tick(lease), await store.workers.tick(lease)]
        if (one.kind !== 'ticked' || two.kind !== 'ticked') throw new Error('the lease is gone')
        return one.tick === two.tick && two.rows === 0
      })
      await expect(values()).resolves.toSatisfy((all: number[]) => all.every((value) => value >= 3 && value <= 6))
      const verdict = compareTicks(before, await snapshotTicks(store.rows))
      expect(verdict).toMatchObject({ rows: 5, doubledRows: 0, lostRows: 0 })
    })

    test('a row that was removed and added again is another row, not one that lost its ticks', async () => {
      const lease = await soleOwner()
      const ids = Array.from({ length: 3 }, () => randomUUID())
      await store.rows.add({ ids })
      await fixture.rewindRows(100)
      await store.workers.tick(lease)
      const before = await snapshotTicks(store.rows)
      await store.rows.remove({ ids: ids.slice(0, 2) })
      await store.rows.add({ ids })
      const verdict = compareTicks(before, await snapshotTicks(store.rows))
      expect(verdict).toMatchObject({ rows: 1, doubledRows: 0, lostRows: 0 })
    })

    test('a store clock that went back takes nothing away, and credits nothing until it has caught up', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 3 })
      await fixture.rewindRows(-60)
      await expect(store.workers.tick(lease)).resolves.toMatchObject({ kind: 'ticked', rows: 0 })
      await expect(values()).resolves.toEqual([0, 0, 0])
    })

    test('time before a row existed is not credited', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 3 })
      await store.workers.tick(lease)
      await expect(values()).resolves.toSatisfy((all: number[]) => all.every((value) => value <= 1))
    })

    test('rows of other workers are left alone', async () => {
      const a = await join('a')
      await join('b')
      await aim((slot) => (slot < store.slots / 2 ? 'a' : 'b'))
      await store.leaders.takeOver(leader)
      await store.rows.add({ count: 200 })
      await fixture.rewindRows(2)
      await store.workers.tick(await refresh(a))
      const wrong = (await store.rows.list(undefined, 1_000)).filter(
        ({ id, value = 0 }) => value > 0 !== slotOf(id, store.slots) < store.slots / 2,
      )
      expect(wrong).toEqual([])
    })

    test('after a bump the old fence writes nothing, and the refusal brings the new lease', async () => {
      const old = await soleOwner()
      await store.rows.add({ count: 4 })
      await fixture.rewindRows(2)
      await join('b')
      await aim((slot) => (slot === 0 ? 'b' : 'a'))
      const current = await refresh(old)
      const outcome = await store.workers.tick(old)
      expect(outcome).toEqual({ kind: 'fenced', lease: current })
      await expect(values()).resolves.toEqual([0, 0, 0, 0])
      expect(current.fence.epoch).toBeGreaterThan(old.fence.epoch)
      await expect(store.workers.tick(current)).resolves.toMatchObject({ kind: 'ticked' })
    })

    test('the same epoch with another nonce is another fence', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 1 })
      await fixture.rewindRows(2)
      const forged = { ...lease, fence: { ...lease.fence, nonce: randomUUID() } }
      await expect(store.workers.tick(forged)).resolves.toEqual({ kind: 'fenced', lease })
      await expect(store.workers.handOver(forged)).resolves.toEqual({ kind: 'fenced', lease })
      await expect(values()).resolves.toEqual([0])
    })

    test('a restarted worker keeps its slots, and its former incarnation is out', async () => {
      const former = await soleOwner()
      await store.rows.add({ count: 1 })
      await fixture.rewindRows(2)
      const restarted = await join('a')
      expect(restarted.slots).toEqual(former.slots)
      await expect(store.workers.tick(former)).resolves.toEqual({ kind: 'superseded' })
      await expect(store.workers.handOver(former)).resolves.toEqual({ kind: 'superseded' })
      const report = { ttlMs: longMs, rows: 0, lastTickMs: 0, longestGapTicks: 0 }
      await expect(store.workers.heartbeat(former, report)).resolves.toEqual({ kind: 'superseded' })
      await store.workers.leave(former)
      await expect(store.workers.heartbeat(restarted, report)).resolves.toMatchObject({ kind: 'alive' })
      await expect(values()).resolves.toEqual([0])
    })

    test('a live owner gives slots away itself, and not before', async () => {
      const a = await soleOwner('a')
      const b = await join('b')
      await store.rows.add({ count: 100 })
      await fixture.rewindRows(1)
      await aim((slot) => (slot < store.slots / 2 ? 'a' : 'b'))
      await expect(store.leaders.takeOver(leader)).resolves.toMatchObject({ slots: 0 })
      const ticked = await store.workers.tick(a)
      expect(ticked).toMatchObject({ kind: 'ticked', rows: 100, toHandOver: store.slots / 2 })
      const handed = await store.workers.handOver(a)
      expect(handed).toMatchObject({ kind: 'handed-over', slots: store.slots / 2 })
      const taken = await store.workers.tick(b)
      expect(taken.kind === 'fenced' && taken.lease.slots.length).toBe(store.slots / 2)
      const { owners, targets } = await store.leaders.map()
      expect(owners).toEqual(targets)
    })

    test('slots are not handed to somebody who is gone', async () => {
      const a = await soleOwner('a')
      const b = await join('b')
      await aim(() => 'b')
      await store.workers.leave(b)
      await expect(store.workers.tick(a)).resolves.toMatchObject({ kind: 'ticked', toHandOver: 0 })
      await expect(store.workers.handOver(a)).resolves.toMatchObject({ slots: 0, lease: a })
    })

    test('the slots of an owner whose time is up are taken over, and his next tick writes nothing', async () => {
      const a = await soleOwner('a')
      await store.workers.heartbeat(a, { ttlMs: 1, rows: 0, lastTickMs: 0, longestGapTicks: 0 })
      await join('b')
      await store.rows.add({ count: 10 })
      await fixture.rewindRows(2)
      await aim(() => 'b')
      const taken = await waitUntil(async () => {
        const outcome = await store.leaders.takeOver(leader)
        return outcome !== 'stale' && outcome.slots > 0 ? outcome : undefined
      })
      expect(taken.slots).toBe(store.slots)
      await expect(store.workers.tick(a)).resolves.toMatchObject({ kind: 'fenced', lease: { slots: [] } })
      await expect(values()).resolves.toEqual(Array.from({ length: 10 }, () => 0))
    })

    test('one leader at a time; a deposed one can do nothing', async () => {
      await expect(store.leaders.campaign('other', longMs)).resolves.toBeUndefined()
      await expect(store.leaders.renew(leader, 50)).resolves.toBe(true)
      const next = await waitUntil(() => store.leaders.campaign('other', longMs))
      expect(next.fence.epoch).toBeGreaterThan(leader.fence.epoch)
      await expect(store.leaders.current()).resolves.toEqual({ name: 'other', epoch: next.fence.epoch, alive: true })
      await expect(store.leaders.renew(leader, longMs)).resolves.toBe(false)
      await expect(store.leaders.publish(leader, [{ slot: 0, to: 'a' }])).resolves.toBe('stale')
      await expect(store.leaders.takeOver(leader)).resolves.toBe('stale')
      await expect(store.leaders.countRows(leader)).resolves.toBe('stale')
      await expect(store.leaders.recount(leader, 0, 1)).resolves.toBe('stale')
      await expect(store.leaders.repairSlots(leader, 0, 1)).resolves.toBe('stale')
      await expect(store.leaders.map()).resolves.toMatchObject({ targets: expect.not.arrayContaining(['a']) })
      await store.leaders.resign(leader)
      await expect(store.leaders.renew(next, longMs), 'a deposed leader cannot resign for the next').resolves.toBe(true)
      await store.leaders.resign(next)
      await expect(store.leaders.current()).resolves.toMatchObject({ alive: false })
    })

    test('a leader with the right epoch and another nonce is none', async () => {
      const forged = { ...leader, fence: { ...leader.fence, nonce: randomUUID() } }
      await expect(store.leaders.publish(forged, [])).resolves.toBe('stale')
      await expect(store.leaders.renew(forged, longMs)).resolves.toBe(false)
    })

    test('row counts follow what is added and removed', async () => {
      const ids = Array.from({ length: 30 }, () => randomUUID())
      await store.rows.add({ ids })
      await store.rows.remove({ ids: ids.slice(0, 10) })
      const expected = new Uint32Array(store.slots)
      for (const id of ids.slice(10)) expected[slotOf(id, store.slots)] = (expected[slotOf(id, store.slots)] ?? 0) + 1
      await expect(store.leaders.estimateRows(), 'before and after they are folded').resolves.toEqual(expected)
      await expect(store.leaders.countRows(leader)).resolves.toEqual(expected)
      await expect(store.leaders.estimateRows()).resolves.toEqual(expected)
      await expect(store.leaders.recount(leader, 0, store.slots - 1)).resolves.toEqual({ corrected: 0, errorRows: 0 })
    })

    test('a store clock that is not where it is expected writes nothing', async () => {
      const lease = await soleOwner()
      await store.rows.add({ count: 1 })
      await fixture.rewindRows(2)
      const expectedNowMs = Date.now() - 3_600_000
      const outcome = await store.workers.tick(lease, { expectedNowMs, clockToleranceMs: 30_000 })
      expect(outcome).toMatchObject({ kind: 'clock-jump', expectedNowMs })
      await expect(values()).resolves.toEqual([0])
      const fine = await store.workers.tick(lease, { expectedNowMs: Date.now(), clockToleranceMs: 30_000 })
      expect(fine.kind).toBe('ticked')
    })

    test('a row without a value is left alone and counted, a full one stays full, the others go on', async () => {
      const lease = await soleOwner()
      const ids = Array.from({ length: 3 }, () => randomUUID()).toSorted()
      await store.rows.add({ ids })
      await fixture.setValue(ids[0] ?? '', null)
      await fixture.setValue(ids[1] ?? '', 2_147_483_646)
      await fixture.rewindRows(5)
      await expect(store.workers.tick(lease)).resolves.toMatchObject({ rows: 2, saturated: 1 })
      const [none, full, normal = 0] = await values()
      expect([none, full]).toEqual([undefined, 2_147_483_647])
      expect(normal).toBeGreaterThanOrEqual(5)
      await expect(store.leaders.recount(leader, 0, store.slots - 1)).resolves.toEqual({ corrected: 0, errorRows: 1 })
    })

    test('a drain is seen by the worker and by the leader, and forgotten by a restart', async () => {
      const a = await join('a')
      await join('b')
      await expect(store.workers.drain({ name: 'a' })).resolves.toBe(true)
      await expect(store.workers.drain({ name: 'nobody' })).resolves.toBe(false)
      const report = { ttlMs: longMs, rows: 7, lastTickMs: 0, longestGapTicks: 2 }
      await expect(store.workers.heartbeat(a, report)).resolves.toEqual({
        kind: 'alive',
        draining: true,
        otherTakers: 1,
        paused: false,
      })
      await expect(store.leaders.members()).resolves.toMatchObject([
        { name: 'a', alive: true, draining: true, rows: 7, longestGapTicks: 2 },
        { name: 'b', alive: true, draining: false },
      ])
      await join('a')
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', draining: false }, { name: 'b' }])
    })

    test('a worker drains itself only: a former incarnation asks nothing of its successor', async () => {
      const former = await join('a')
      const successor = await join('a')
      await expect(store.workers.drain(former)).resolves.toBe(false)
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', draining: false }])
      await expect(store.workers.drain(successor)).resolves.toBe(true)
      await expect(store.leaders.members()).resolves.toMatchObject([{ name: 'a', draining: true }])
    })

    test('watched rows: all ids up to the limit, beyond it number and fingerprint', async () => {
      const lease = await soleOwner()
      const ids = Array.from({ length: 4 }, () => randomUUID()).toSorted()
      await store.rows.add({ ids })
      const few = await store.workers.watched(lease, 4)
      expect(few).toMatchObject({ rows: 4, ids })
      await expect(store.workers.watched(lease, 3)).resolves.toEqual({
        rows: 4,
        ids: undefined,
        fingerprint: few.fingerprint,
      })
      await store.rows.remove({ ids: ids.slice(1) })
      const less = await store.workers.watched(lease, 3)
      expect(less.ids).toEqual(ids.slice(0, 1))
      expect(less.fingerprint).not.toBe(few.fingerprint)
    })

    test('rows: added once, listed in pages, removed, explained', async () => {
      const lease = await soleOwner()
      const ids = Array.from({ length: 5 }, () => randomUUID()).toSorted()
      const [first = '', second = ''] = ids
      await expect(store.rows.add({ ids })).resolves.toBe(5)
      await expect(store.rows.add({ ids: ids.slice(0, 2) })).resolves.toBe(0)
      const page = await store.rows.list(first, 2)
      expect(page.map(({ id }) => id)).toEqual(ids.slice(1, 3))
      await expect(store.rows.explain(second)).resolves.toMatchObject({
        id: second,
        slot: slotOf(second, store.slots),
        owner: 'a',
        target: 'a',
        ownerAlive: true,
        epoch: lease.fence.epoch,
      })
      await expect(store.rows.remove({ count: 2 })).resolves.toBe(2)
      await expect(store.rows.remove({ ids })).resolves.toBe(3)
      await expect(store.rows.count()).resolves.toBe(0)
      await expect(store.rows.explain(second)).resolves.toBeUndefined()
    })

    test('the history keeps what was recorded, latest first', async () => {
      await store.leaders.record('planned', { moved: 1 })
      await store.leaders.record('left', { worker: 'a' })
      await expect(store.leaders.history(10)).resolves.toMatchObject([
        { kind: 'left', detail: { worker: 'a' } },
        { kind: 'planned', detail: { moved: 1 } },
      ])
      await expect(store.leaders.history(1)).resolves.toHaveLength(1)
    })
  })

  describeOperations(name, open)
}
