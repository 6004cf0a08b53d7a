import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { expect, test } from 'vitest'
import { startWorking } from '../../src/worker/working.ts'
import { Machine } from './machine.ts'
import { Random } from './random.ts'
import { VirtualTime } from './virtual-time.ts'

test('a worker that is told to stop just after it was given rows does not leave with them', async () => {
  const [time, random] = [new VirtualTime(), new Random(1)]
  const store = openMemoryWorkItems({ slots: 4, nowMs: () => 1_700_000_000_000 + time.nowMs(), newId: random.uuid })
  const leader = await store.leaders.campaign('control', 3_600_000)
  if (leader === undefined) throw new Error('no leader')
  const aim = (to: string) =>
    store.leaders.publish(
      leader,
      [0, 1, 2, 3].map((slot) => ({ slot, to })),
    )
  const start = (name: string) =>
    startWorking({
      name,
      weight: 1,
      ttlMs: 3_000,
      drainTimeoutMs: 15_000,
      workers: store.workers,
      metrics: { ticked() {}, fenced() {}, handedOver() {}, watching() {} },
      surroundings: new Machine(name, time, random).surroundings,
      ticked: async () => {},
      complain: (error) => {
        throw error
      },
      superseded: () => {},
      log: { info() {} },
    })
  const ownedBy = (name: string) => store.state.owners.filter((owner) => owner === name).length
  await start('donor')
  const receiver = await start('receiver')
  await aim('donor')
  await store.leaders.takeOver(leader)
  await time.runFor(3_000)
  await aim('receiver')
  while (ownedBy('receiver') === 0) await time.runFor(5)
  expect(receiver.lease.slots, 'it does not know yet').toEqual([])

  let ownedWhenLeaving: number | undefined
  const stopped = receiver.stop().then(() => (ownedWhenLeaving = ownedBy('receiver')))
  await time.runFor(250)
  await aim('donor')
  await time.runFor(5_000)
  await stopped
  expect(ownedWhenLeaving).toBe(0)
})
