import { compareTicks, snapshotTicks } from '@ballast/state-stores/work-item'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startCluster } from './cluster.ts'

const args = ['--autoscale-target', 'local', '--rows-per-worker', '100', '--max-workers', '3'].concat([
  '--scale-up-cooldown-ms',
  '0',
  '--scale-down-cooldown-ms',
  '500',
  '--scale-down-step',
  '2',
])
const patience = { timeoutMs: 120_000, everyMs: 100 }

test('local processes come with rows and go without, drained first; no tick is lost on the way', async () => {
  await using cluster = await startCluster()
  const { process: control, url } = await cluster.controlPlane(...args)
  const owners = (...names: string[]) =>
    waitUntil(
      async () => {
        const { owners: slots, targets } = await cluster.store.leaders.map()
        const same = slots.every((owner, slot) => owner === targets[slot])
        return same && [...new Set(slots)].map(String).toSorted().join() === names.join()
      },
      { ...patience, what: `${names.join()} to own everything` },
    )
  await owners('worker-0')
  await cluster.store.rows.add({ count: 290 })
  const before = await snapshotTicks(cluster.store.rows)
  await owners('worker-0', 'worker-1', 'worker-2')
  const shown: unknown = await (await fetch(`${url}/v1/autoscale`)).json()
  expect(shown).toMatchObject({ target: 'local', status: { workers: 3, wanted: 3, rows: 290 } })
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({ doubledRows: 0, lostRows: 0 })
  await cluster.store.rows.remove({ count: 250 })
  await owners('worker-0')
  await waitUntil(
    () => control.stdout.filter((line) => line.includes('a worker process has ended')).length === 2,
    patience,
  )
  const ended = control.stdout.filter((line) => line.includes('a worker process has ended'))
  expect(
    ended.map((line) => JSON.parse(line)),
    'in good order',
  ).toMatchObject([{ code: 0 }, { code: 0 }])
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({
    rows: 40,
    doubledRows: 0,
    lostRows: 0,
  })
  const gaps = (await cluster.store.leaders.members()).map(({ longestGapTicks }) => longestGapTicks)
  expect(Math.max(...gaps), 'drained first, nobody missed much').toBeLessThanOrEqual(3)
  control.kill('SIGTERM')
  await expect(control.exit, 'its workers end before it').resolves.toEqual({ code: 0, signal: null })
  await expect(cluster.store.leaders.members()).resolves.toMatchObject([
    { alive: false },
    { alive: false },
    { alive: false },
  ])
}, 240_000)
