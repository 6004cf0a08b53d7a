import { compareTicks, snapshotTicks } from '@ballast/state-stores/work-item'
import { startProcess, waitUntil, type TestProcess } from '@ballast/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { main, startCluster, type Cluster, type ControlPlane } from './cluster.ts'

/** What README.md says of odd situations, in the order in which one cluster meets them. */

const patience = { timeoutMs: 90_000, everyMs: 50 }

let cluster: Cluster
let control: ControlPlane
const workers: TestProcess[] = []

beforeAll(async () => {
  cluster = await startCluster()
  control = await cluster.controlPlane()
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

/** One after the other, each in a transaction of its own. */
async function sql(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function metric(name: string): Promise<number> {
  const body = await (await fetch(`${control.url}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(body)?.[1])
}

const rows = () => cluster.store.rows.list(undefined, 100)
const ticking = () =>
  waitUntil(
    async () => {
      const all = await rows()
      const oldest = Math.min(...all.flatMap(({ value, lastTick }) => (value === undefined ? [] : Number(lastTick))))
      return Date.now() / 1000 - oldest < 2
    },
    { ...patience, what: 'every row with a value to tick' },
  )

test('zero workers: rows wait, the API says why, and nobody is invented', async () => {
  await cluster.store.rows.add({ count: 1 })
  const [row] = await rows()
  const explained: unknown = await (await fetch(`${control.url}/v1/explain/${row?.id}`)).json()
  expect(explained).toMatchObject({ owner: null, why: expect.stringContaining('which nobody owns yet') })
  await waitUntil(async () => (await metric('scaler_unowned_slots')) === cluster.store.slots, patience)
  await expect(cluster.store.leaders.history(100)).resolves.not.toContainEqual(
    expect.objectContaining({ kind: 'planned' }),
  )
})

test('one row: the first worker credits what was due, and prints it', async () => {
  await waitUntil(async () => Date.now() / 1000 - Number((await rows())[0]?.lastTick) > 3, patience)
  workers.push(await cluster.worker('worker-0'))
  await ticking()
  const [row] = await rows()
  expect(row?.value, 'the seconds without a worker are not lost').toBeGreaterThanOrEqual(3)
  const printed = await workers[0]?.waitForLine(/"watching".*"rows":1\b|"rows":1\b.*"watching"/)
  expect(JSON.parse(printed ?? '')).toMatchObject({ rows: 1, ids: [row?.id] })
})

test('zero rows: workers share the slots, print an empty list, and nothing moves for it', async () => {
  await cluster.store.rows.remove({ count: 10 })
  workers.push(...(await Promise.all([1, 2, 3].map((number) => cluster.worker(`worker-${number}`)))))
  await waitUntil(async () => {
    const { owners, targets } = await cluster.store.leaders.map()
    return new Set(owners).size === 4 && owners.every((owner, slot) => owner === targets[slot])
  }, patience)
  const printed = await waitUntil(() => workers[1]?.stdout.findLast((line) => line.includes('"watching"')), patience)
  expect(JSON.parse(printed)).toMatchObject({ rows: 0, ids: [] })
  expect(await metric('scaler_max_over_mean')).toBe(1)
})

test('more workers than rows: each row has one owner, the others have none', async () => {
  await cluster.store.rows.add({ count: 2 })
  await ticking()
  await waitUntil(async () => {
    const members = await cluster.store.leaders.members()
    return members.reduce((sum, member) => sum + member.rows, 0) === 2
  }, patience)
  const owners = (await rows()).map(({ worker }) => worker)
  expect(owners.filter((owner) => owner?.startsWith('worker-'))).toHaveLength(2)
})

test('a row whose value is NULL is left alone and counted; the others tick, and it does when it has a value', async () => {
  const [row, other] = await rows()
  await sql(`UPDATE work_items SET value = NULL WHERE id = '${row?.id}'`)
  const before = other?.value ?? 0
  await waitUntil(async () => ((await rows()).find(({ id }) => id === other?.id)?.value ?? 0) > before + 1, patience)
  expect((await rows()).find(({ id }) => id === row?.id)?.value).toBeUndefined()
  await waitUntil(async () => (await metric('scaler_error_rows')) === 1, { ...patience, what: 'the row to be counted' })
  await sql(`UPDATE work_items SET value = 0 WHERE id = '${row?.id}'`)
  await ticking()
  await waitUntil(async () => (await metric('scaler_error_rows')) === 0, patience)
})

test('a database that turns read-only stops ticks with a reason, and loses none when it is writable again', async () => {
  const before = await snapshotTicks(cluster.store.rows)
  const name = new URL(cluster.databaseUrl).pathname.slice(1)
  const restartSessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'scaler %'`
  await sql(`ALTER DATABASE "${name}" SET default_transaction_read_only = on`, restartSessions)
  await workers[0]?.waitForLine(/cannot tick.*read-only|read-only.*cannot tick/)
  const added = await fetch(`${control.url}/v1/rows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"count":1}',
  })
  expect([added.status, await added.json()]).toMatchObject([503, { code: 'store-unavailable' }])
  await sql(
    'SET default_transaction_read_only = off',
    `ALTER DATABASE "${name}" RESET default_transaction_read_only`,
    restartSessions,
  )
  await ticking()
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({ doubledRows: 0, lostRows: 0 })
})

test('a name that is taken: the newcomer works on, the former one ends with 1 and says why', async () => {
  const before = await snapshotTicks(cluster.store.rows)
  const [former] = workers
  await cluster.worker('worker-0')
  await expect(former?.exit).resolves.toEqual({ code: 1, signal: null })
  expect(former?.stdout.some((line) => line.includes('another process works as'))).toBe(true)
  await ticking()
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({ doubledRows: 0, lostRows: 0 })
})

test('a worker whose clock is an hour ahead: the database says what a tick is, nothing is credited early or twice', async () => {
  const wrong = 'data:text/javascript,const now=Date.now;Date.now=()=>now()+3600000'
  const before = await snapshotTicks(cluster.store.rows)
  await using skewed = startProcess({
    args: ['--import', wrong, main, 'worker', '--name', 'worker-9', '--listen', '127.0.0.1:0'],
    env: { SCALER_STORE: cluster.databaseUrl },
  })
  const first = JSON.parse(await skewed.waitForLine(/"watching"/)) as { time: string }
  expect(Date.parse(first.time) - Date.now(), 'it does have another time').toBeGreaterThan(3_000_000)
  for (const { name } of await cluster.store.leaders.members()) {
    if (name !== 'worker-9') await cluster.store.workers.drain({ name })
  }
  await waitUntil(async () => (await rows()).every(({ worker }) => worker === 'worker-9'), patience)
  await ticking()
  const after = await snapshotTicks(cluster.store.rows)
  expect(compareTicks(before, after)).toMatchObject({ doubledRows: 0, lostRows: 0 })
  const newest = Math.max(...(await rows()).map(({ lastTick }) => Number(lastTick)))
  expect(newest, 'no tick of the future').toBeLessThanOrEqual(Date.now() / 1000 + 1)
})
