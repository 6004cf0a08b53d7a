import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { Leadership } from '../src/control-plane/leadership.ts'

const rows = 100_000
const workers = 50

test(`${rows} rows over ${workers} workers: shared evenly by one plan, and then no move at rest`, async () => {
  let nowMs = 1_700_000_000_000
  const store = openMemoryWorkItems({ nowMs: () => nowMs })
  await store.rows.add({ count: rows })
  for (let i = 0; i < workers; i++) {
    await store.workers.register({ name: `worker-${i}`, incarnation: `${i}` }, { weight: 1, ttlMs: 3_600_000 })
  }
  const plans: { movedSlots: number; maxOverMean: number }[] = []
  const leadership = new Leadership(
    store,
    { name: 'control', ttlMs: 3_000, tolerance: 0.005, joinSettleMs: 500, rebalanceIntervalMs: 1_000 },
    {
      log: { info() {}, warn() {} },
      metrics: { observe() {}, planned: (stats) => plans.push(stats), tookOver() {} },
      nowMs: () => nowMs,
    },
  )
  for (let step = 0; step < 5; step++, nowMs += 300) await leadership.step()
  expect(plans).toHaveLength(1)
  expect(plans[0]?.maxOverMean).toBeLessThanOrEqual(1.005)
  const settled = await store.leaders.map()
  expect(settled.owners).toEqual(settled.targets)
  for (let step = 0; step < 40; step++, nowMs += 300) await leadership.step()
  expect(plans).toHaveLength(1)
  await expect(store.leaders.map()).resolves.toEqual(settled)
})
