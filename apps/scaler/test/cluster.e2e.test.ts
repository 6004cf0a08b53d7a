import { waitUntil, type TestProcess } from '@ballast/testing'
import { compareTicks, snapshotTicks, type TickSnapshot } from '@ballast/state-stores/work-item'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseTtlMs, startCluster, type Cluster, type ControlPlane } from './cluster.ts'

const rows = 3_000
/** Starting and stopping processes on a loaded machine takes its time; limits of the product are asserted apart from this. */
const patience = { timeoutMs: 90_000, everyMs: 50 }

let cluster: Cluster
let control: ControlPlane
let before: TickSnapshot
const workers = new Map<string, TestProcess>()

interface PlanView {
  readonly unowned: number
  readonly moving: number
  readonly workers: readonly { name: string; slots: number; alive: boolean }[]
  readonly last: { cause: string; movedRows: number; minimumRows: number; maxOverMean: number; movedSlots: number }
}

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${control.url}${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

async function join(name: string): Promise<void> {
  workers.set(name, await cluster.worker(name))
}

function processOf(name: string): TestProcess {
  const found = workers.get(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

const watchingLines = (name: string) => processOf(name).stdout.filter((line) => line.includes('"watching"'))

/** The plan, once exactly these workers own everything and nothing moves any more. */
const settled = (...names: string[]) =>
  waitUntil(
    async () => {
      const plan = await get<PlanView>('/v1/plan')
      const owners = plan.workers.filter(({ slots }) => slots > 0).map(({ name }) => name)
      return plan.unowned === 0 && plan.moving === 0 && owners.toSorted().join() === names.toSorted().join()
        ? plan
        : undefined
    },
    { ...patience, what: `the map to settle on ${names.join()}` },
  )

/** Resolves when the slowest row is less than two seconds behind. */
const allTicking = () =>
  waitUntil(async () => {
    const { oldestTick = 0n } = await snapshotTicks(cluster.store.rows)
    return Date.now() / 1000 - Number(oldestTick) < 2
  }, patience)

async function checkNothingDoubledOrLost(): Promise<void> {
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({
    rows,
    doubledRows: 0,
    lostRows: 0,
  })
}

const pair = ({ worker, slot }: { worker: string; slot: number }) => `${slot} ${worker}`

async function query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: cluster.databaseUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

beforeAll(async () => {
  cluster = await startCluster()
  control = await cluster.controlPlane()
  await Promise.all(['worker-0', 'worker-1', 'worker-2'].map(join))
  await settled('worker-0', 'worker-1', 'worker-2')
  await fetch(`${control.url}/v1/rows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ count: rows }),
  })
  before = await snapshotTicks(cluster.store.rows)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

test('three workers share the rows evenly, and print the same list while nothing changes', async () => {
  await waitUntil(
    async () => {
      const { workers: members } = await get<{ workers: { rows: number }[] }>('/v1/workers')
      const counts = members.map((member) => member.rows)
      return counts.reduce((sum, count) => sum + count, 0) === rows && Math.max(...counts) <= (rows / 3) * 1.005
    },
    { ...patience, what: 'rows that were added to be spread evenly' },
  )
  const plan = await settled('worker-0', 'worker-1', 'worker-2')
  expect(plan.last.maxOverMean).toBeLessThanOrEqual(1.005)
  await allTicking()
  const seen = watchingLines('worker-0').length
  await waitUntil(() => watchingLines('worker-0').length >= seen + 3, patience)
  const printed = watchingLines('worker-0')
    .slice(seen)
    .map((line): { rows: number; fingerprint: string } => JSON.parse(line))
  expect(printed[0]?.rows).toBeGreaterThan(rows / 3 - 10)
  expect(new Set(printed.map(({ rows: count, fingerprint }) => `${count} ${fingerprint}`)).size).toBe(1)
  const wrong = await query(
    'SELECT FROM work_items i JOIN ballast_scaler.slots s USING (slot) WHERE i.currentworker <> s.owner',
  )
  expect(wrong, 'currentworker says who owns a row').toEqual([])
})

test('a fourth worker takes its share: the minimum moves, to within one slot', async () => {
  const [granule] = await query<{ rows: number }>('SELECT max(rows)::integer AS rows FROM ballast_scaler.row_counts')
  await join('worker-3')
  const plan = await settled('worker-0', 'worker-1', 'worker-2', 'worker-3')
  expect(plan.last).toMatchObject({ cause: 'joined' })
  expect(plan.last.movedRows).toBeLessThanOrEqual(plan.last.minimumRows + (granule?.rows ?? 0))
  expect(plan.last.maxOverMean).toBeLessThanOrEqual(1.005)
  await checkNothingDoubledOrLost()
})

test('a worker that is told to stop hands everything over and exits with 0', async () => {
  const leaving = processOf('worker-1')
  leaving.kill('SIGTERM')
  await expect(leaving.exit).resolves.toEqual({ code: 0, signal: null })
  expect(leaving.stdout.some((line) => line.includes('"drained"'))).toBe(true)
  const plan = await settled('worker-0', 'worker-2', 'worker-3')
  expect(plan.last.movedRows).toBeGreaterThanOrEqual(plan.last.minimumRows)
  await allTicking()
  await checkNothingDoubledOrLost()
})

test('a worker that is killed is replaced within its lease and a tick, and what it missed is caught up', async () => {
  processOf('worker-2').kill('SIGKILL')
  const killedMs = Date.now()
  await settled('worker-0', 'worker-3')
  await allTicking()
  expect(Date.now() - killedMs, 'time until every row ticks again').toBeLessThan(leaseTtlMs + 2_000 + 4_000)
  const { longestUnownedMs } = await get<{ longestUnownedMs: number }>('/v1/stats')
  expect(longestUnownedMs).toBeGreaterThan(leaseTtlMs / 2)
  expect(longestUnownedMs).toBeLessThan(leaseTtlMs + 3_000)
  await checkNothingDoubledOrLost()
})

test('a worker that is stopped past its lease and goes on writes nothing stale, then joins again', async () => {
  const sleeper = processOf('worker-0')
  sleeper.kill('SIGSTOP')
  await settled('worker-3')
  await allTicking()
  const printed = sleeper.stdout.length
  sleeper.kill('SIGCONT')
  const line = await waitUntil(
    () => sleeper.stdout.slice(printed).find((text) => text.includes('"watching"')),
    patience,
  )
  expect(JSON.parse(line), 'its first tick found that nothing is its own any more').toMatchObject({ rows: 0 })
  await settled('worker-0', 'worker-3')
  await checkNothingDoubledOrLost()
})

test('workers tick on while there is no control plane, and the next one finds its place', async () => {
  control.process.kill('SIGKILL')
  await control.process.exit
  const alone = await snapshotTicks(cluster.store.rows)
  await waitUntil(async () => {
    const { oldestTick = 0n } = await snapshotTicks(cluster.store.rows)
    return oldestTick > (alone.oldestTick ?? 0n) + 2n
  }, patience)
  control = await cluster.controlPlane()
  const startedMs = Date.now()
  await control.process.waitForLine(/"leading"/)
  expect(Date.now() - startedMs, 'time to a new leader').toBeLessThan(5_000)
  await settled('worker-0', 'worker-3')
  await checkNothingDoubledOrLost()
})

test('two control planes: one leads, and when it is killed the other does', async () => {
  const second = await cluster.controlPlane()
  expect(second.process.stdout.some((line) => line.includes('"leading"'))).toBe(false)
  control.process.kill('SIGKILL')
  await second.process.waitForLine(/"leading"/)
  control = second
  await join('worker-4')
  await settled('worker-0', 'worker-3', 'worker-4')
  await checkNothingDoubledOrLost()
})

test('when all connections to the database are cut, everybody is back within a second or two', async () => {
  const cut = await query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'scaler %'`,
  )
  expect(cut.length).toBeGreaterThan(3)
  await allTicking()
  await settled('worker-0', 'worker-3', 'worker-4')
  await checkNothingDoubledOrLost()
})

test('in the end every slot has one owner, its lease says the same, and every row ticks', async () => {
  await allTicking()
  const leased = await query<{ worker: string; slot: number }>(
    'SELECT worker, unnest(slots) AS slot FROM ballast_scaler.leases',
  )
  const owned = await query<{ worker: string; slot: number }>('SELECT owner AS worker, slot FROM ballast_scaler.slots')
  expect(leased.map(pair).toSorted()).toEqual(owned.map(pair).toSorted())
  expect(new Set(leased.map(({ slot }) => slot)).size).toBe(cluster.store.slots)
  await checkNothingDoubledOrLost()
})
