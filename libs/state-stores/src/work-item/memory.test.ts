import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeWorkItemContract } from './contract.ts'
import { openMemoryWorkItems } from './memory.ts'

describeWorkItemContract('memory', async () => {
  const store = openMemoryWorkItems({ slots: 256 })
  return {
    store,
    async rewindRows(seconds) {
      for (const row of store.state.rows.values()) row.lastTick -= BigInt(seconds)
    },
    async setValue(id, value) {
      const row = store.state.rows.get(id)
      if (row !== undefined) row.value = value ?? undefined
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
})

test('whose time is up in the middle of a take-over loses all of his slots, or none', async () => {
  let now = 0
  let step = 0
  await using store = openMemoryWorkItems({ slots: 64, nowMs: () => (now += step) })
  const leader = await store.leaders.campaign('leader', 1_000_000)
  if (leader === undefined) throw new Error('no leader')
  const join = (name: string, ttlMs: number) =>
    store.workers.register({ name, incarnation: randomUUID() }, { weight: 1, ttlMs })
  const aim = (to: string) =>
    store.leaders.publish(
      leader,
      Array.from({ length: store.slots }, (_, slot) => ({ slot, to })),
    )
  await join('a', 100)
  await join('b', 1_000_000)
  await aim('a')
  await store.leaders.takeOver(leader)
  await aim('b')
  step = 1
  now = 70
  const first = await store.leaders.takeOver(leader)
  now = 200
  const second = await store.leaders.takeOver(leader)
  expect([first, second]).toMatchObject([{ slots: 0 }, { slots: store.slots }])
})
