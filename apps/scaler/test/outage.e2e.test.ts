import { startFaultProxy, type FaultProxy } from '@ballast/fault-proxy'
import { compareTicks, snapshotTicks, type TickSnapshot } from '@ballast/state-stores/work-item'
import { waitUntil } from '@ballast/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseTtlMs, startCluster, type Cluster } from './cluster.ts'

const patience = { timeoutMs: 90_000, everyMs: 50 }
const names = ['worker-0', 'worker-1', 'worker-2']

let cluster: Cluster
let proxy: FaultProxy
let before: TickSnapshot

/** Everything but the test itself reaches the database through the proxy. */
beforeAll(async () => {
  cluster = await startCluster(async (databaseUrl) => {
    proxy = await startFaultProxy({ target: databaseUrl })
    return proxy.url
  })
  await cluster.controlPlane()
  await Promise.all(names.map((name) => cluster.worker(name)))
  await cluster.store.rows.add({ count: 600 })
  await waitUntil(async () => {
    const { owners, targets } = await cluster.store.leaders.map()
    return names.every((name) => owners.includes(name)) && owners.every((owner, slot) => owner === targets[slot])
  }, patience)
  await ticking()
  before = await snapshotTicks(cluster.store.rows)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
})

/** Each row has been ticked within the last two seconds. */
const ticking = () =>
  waitUntil(async () => {
    const { oldestTick = 0n } = await snapshotTicks(cluster.store.rows)
    return Date.now() / 1000 - Number(oldestTick) < 2
  }, patience)

const stalledFor = (ms: number) =>
  waitUntil(async () => {
    const { oldestTick = 0n } = await snapshotTicks(cluster.store.rows)
    return Date.now() - Number(oldestTick) * 1000 > ms
  }, patience)

const verdict = async () => compareTicks(before, await snapshotTicks(cluster.store.rows))
const fine = { rows: 600, doubledRows: 0, lostRows: 0 }

const ownersOf = async () => (await cluster.store.leaders.map()).owners

async function sessionsSoFar(): Promise<number> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ n: number }>(
    'SELECT pg_stat_clear_snapshot(), sessions::integer AS n FROM pg_stat_database WHERE datname = current_database()',
  )
  await client.end()
  return rows[0]?.n ?? 0
}

test('refused for longer than every lease: back without a stampede, no row moves, no tick is lost', async () => {
  const owners = await ownersOf()
  proxy.set({ refuse: true })
  proxy.cut('reset')
  await stalledFor(leaseTtlMs + 4_000)
  const sessions = await sessionsSoFar()
  proxy.heal()
  await ticking()
  // Four processes, each with a pool of six at most; and the two sessions that count.
  expect((await sessionsSoFar()) - sessions, 'connections made on the return').toBeLessThanOrEqual(4 * 6 + 2)
  await expect(verdict()).resolves.toMatchObject(fine)
  expect(await ownersOf(), 'all workers lived, so nobody lost a row').toEqual(owners)
})

test('a black hole, then answers again: no tick is lost or doubled, whatever was under way', async () => {
  proxy.set({ drop: 'both' })
  await stalledFor(leaseTtlMs + 2_000)
  proxy.heal()
  proxy.cut('close')
  await ticking()
  await expect(verdict()).resolves.toMatchObject(fine)
})

test('a slow database delays ticks and loses none', async () => {
  proxy.set({ latencyMs: 300, jitterMs: 100 })
  const { oldestTick: from = 0n } = await snapshotTicks(cluster.store.rows)
  await waitUntil(async () => ((await snapshotTicks(cluster.store.rows)).oldestTick ?? 0n) >= from + 3n, {
    ...patience,
    what: 'ticks through a slow database',
  })
  proxy.heal()
  await ticking()
  await expect(verdict()).resolves.toMatchObject(fine)
})
