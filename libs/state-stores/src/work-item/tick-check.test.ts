import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { openMemoryWorkItems } from './memory.ts'
import { compareTicks, snapshotTicks } from './tick-check.ts'

test('doubled and lost ticks are told apart, rows that came or went are left out', async () => {
  const store = openMemoryWorkItems({ slots: 4 })
  const ids = Array.from({ length: 5 }, () => randomUUID()).toSorted()
  const [fine = '', doubled = '', lost = '', gone = '', full = ''] = ids
  await store.rows.add({ ids })
  const row = (id: string) => {
    const found = store.state.rows.get(id)
    if (found === undefined) throw new Error(`no row ${id}`)
    return found
  }
  row(full).value = 2 ** 31 - 1
  const before = await snapshotTicks(store.rows)
  for (const id of ids) row(id).lastTick += 3n
  row(fine).value = 3
  row(doubled).value = 5
  row(lost).value = 2
  await store.rows.remove({ ids: [gone] })
  await store.rows.add({ count: 1 })
  const after = await snapshotTicks(store.rows)
  expect(before.saturated).toBe(1)
  expect(compareTicks(before, after)).toEqual({
    rows: 3,
    doubledRows: 1,
    doubledTicks: 2n,
    lostRows: 1,
    lostTicks: 1n,
    examples: [doubled, lost],
  })
})
