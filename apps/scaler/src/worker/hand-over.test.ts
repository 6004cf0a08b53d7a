import { createMetrics } from '@ballast/metrics'
import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { workerMetrics } from './metrics.ts'
import { phaseOf, StoreClock } from './store-clock.ts'
import { Ticker } from './ticker.ts'

const slots = 8
const hourMs = 3_600_000

/** Donor and receiver with their own phases, on one simulated clock; the plan comes at any moment. */
async function simulate(donorUnit: number, receiverUnit: number, plannedAfterMs: number) {
  let nowMs = 1_000_000
  let serial = 0
  const store = openMemoryWorkItems({
    slots,
    nowMs: () => nowMs,
    newId: () => `00000000-0000-4000-8000-${String(++serial).padStart(12, '0')}`,
  })
  const leader = await store.leaders.campaign('control', hourMs)
  if (leader === undefined) throw new Error('no leader')
  const monotonicMs = () => nowMs
  const metrics = workerMetrics(createMetrics({ service: 'test', processMetrics: false }))
  const join = async (name: string, unit: number) => {
    const lease = await store.workers.register({ name, incarnation: name }, { weight: 1, ttlMs: hourMs })
    const clock = new StoreClock(monotonicMs)
    return new Ticker(lease, {
      workers: store.workers,
      clock,
      monotonicMs,
      phaseMs: phaseOf(unit),
      metrics,
      ticked: async () => {},
    })
  }
  const aim = (to: string) =>
    store.leaders.publish(
      leader,
      Array.from({ length: slots }, (_, slot) => ({ slot, to })),
    )
  const donor = await join('donor', donorUnit)
  const receiver = await join('receiver', receiverUnit)
  await aim('donor')
  await store.leaders.takeOver(leader)
  await store.rows.add({ count: 40 })

  // The first step learns the store's clock; from then on each ticks at its phase.
  await donor.step()
  await receiver.step()
  let plannedAtMs = nowMs + 1_000 + plannedAfterMs
  const endMs = nowMs + 6_000
  while (nowMs < endMs) {
    const [donorMs, receiverMs] = [nowMs + donor.untilDueMs(), nowMs + receiver.untilDueMs()]
    nowMs = Math.min(donorMs, receiverMs, plannedAtMs)
    if (nowMs === plannedAtMs) {
      await aim('receiver')
      await store.leaders.takeOver(leader)
      plannedAtMs = Number.POSITIVE_INFINITY
    } else if (nowMs === donorMs) {
      await donor.step()
    } else {
      await receiver.step()
    }
  }
  const rows = await store.rows.list(undefined, 100)
  return { donor, receiver, rows, started: 1_000n, ended: BigInt(Math.floor(nowMs / 1000)) }
}

test('a planned hand-over misses no tick, whatever the phases and whenever the plan comes', async () => {
  const unit = fc.double({ min: 0, max: 0.999, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      unit,
      unit,
      fc.integer({ min: 0, max: 2_000 }),
      async (donorUnit, receiverUnit, plannedAfterMs) => {
        const { donor, receiver, rows, started, ended } = await simulate(donorUnit, receiverUnit, plannedAfterMs)
        expect([donor.lease.slots.length, receiver.lease.slots.length]).toEqual([0, slots])
        expect(rows.every(({ worker }) => worker === 'receiver')).toBe(true)
        expect(Math.max(donor.longestGapTicks, receiver.longestGapTicks), 'ticks that a row got at once').toBe(1)
        expect(
          rows.every(({ value = 0, lastTick }) => BigInt(value) === lastTick - started && lastTick >= ended - 1n),
        ).toBe(true)
      },
    ),
  )
})
