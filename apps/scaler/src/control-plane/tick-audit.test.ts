import { randomUUID } from 'node:crypto'
import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { TickAuditor } from './tick-audit.ts'

test('it says how many rows of how many it covered, and raises no alarm for rows that were removed and added again', async () => {
  let nowMs = 1_000_000
  const store = openMemoryWorkItems({ slots: 4, nowMs: () => nowMs })
  const ids = Array.from({ length: 5 }, () => randomUUID())
  await store.rows.add({ ids })
  const auditor = new TickAuditor(store, 100)
  await auditor.step()
  expect(auditor.result.audits).toBe(0)
  nowMs += 60_000
  await store.rows.remove({ ids: ids.slice(0, 2) })
  await store.rows.add({ ids: ids.slice(0, 2) })
  await auditor.step()
  const fine = { rowsInTable: 5, doubledTicks: '0', lostTicks: '0', examples: [] }
  expect(auditor.result).toEqual({ audits: 1, rows: 3, ...fine })
  await auditor.step()
  expect(auditor.result).toEqual({ audits: 2, rows: 5, ...fine })
  const row = store.state.rows.get(ids[0] ?? '')
  if (row !== undefined) row.value = 7
  await auditor.step()
  expect(auditor.result).toMatchObject({ rows: 5, doubledTicks: '7', lostTicks: '0', examples: [ids[0]] })
})

test('a pause whose time is skipped is no lost tick', async () => {
  let nowMs = 1_000_000
  const store = openMemoryWorkItems({ slots: 4, nowMs: () => nowMs })
  await store.rows.add({ count: 3 })
  const auditor = new TickAuditor(store, 100)
  await auditor.step()
  await store.operator.pause()
  nowMs += 50_000
  await store.operator.resume({ catchUp: false })
  await auditor.step()
  await auditor.step()
  expect(auditor.result).toMatchObject({ audits: 1, rows: 3, doubledTicks: '0', lostTicks: '0' })
})
