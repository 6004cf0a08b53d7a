import { compareTicks, snapshotTicks } from '@ballast/state-stores/work-item'
import { startProcess, waitUntil, type TestProcess } from '@ballast/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { main, startCluster, type Cluster, type ControlPlane } from './cluster.ts'

const patience = { timeoutMs: 90_000, everyMs: 50 }
const names = ['worker-0', 'worker-1', 'worker-2']
const graceMs = 60_000

let cluster: Cluster
let control: ControlPlane
const workers = new Map<string, TestProcess>()

async function run(...words: string[]): Promise<{ out: string; err: string; code: number | null }> {
  await using child = startProcess({ args: [main, ...words], env: { SCALER_URL: control.url } })
  const { code } = await child.exit
  return { out: child.stdout.join('\n'), err: child.stderr.join('\n'), code }
}

async function told<T>(...words: string[]): Promise<T> {
  const { out, err, code } = await run(...words, '--json')
  expect([err, code]).toEqual(['', 0])
  return JSON.parse(out)
}

const start = async (name: string) =>
  workers.set(name, await cluster.worker(name, '--restart-grace-ms', String(graceMs)))

const ownersOf = async () => (await cluster.store.leaders.map()).owners

const settledOn = (...owners: string[]) =>
  waitUntil(
    async () => {
      const map = await cluster.store.leaders.map()
      const same = map.owners.every((owner, slot) => owner === map.targets[slot])
      return same && new Set(map.owners).size === owners.length && owners.every((owner) => map.owners.includes(owner))
    },
    { ...patience, what: `the map to settle on ${owners.join()}` },
  )

const progress = async (seconds: bigint) => {
  const { oldestTick: from = 0n } = await snapshotTicks(cluster.store.rows)
  await waitUntil(async () => ((await snapshotTicks(cluster.store.rows)).oldestTick ?? 0n) >= from + seconds, patience)
}

beforeAll(async () => {
  cluster = await startCluster()
  control = await cluster.controlPlane()
  await Promise.all(names.map(start))
  await settledOn(...names)
})
afterAll(async () => {
  await cluster[Symbol.asyncDispose]()
})

test('rows are added, listed and explained from the command line', async () => {
  expect((await run('rows', 'add', '900')).out).toBe('900 rows added')
  const { rows } = await told<{ rows: { id: string }[] }>('rows', 'list', '--limit', '2')
  expect(rows).toHaveLength(2)
  const { out } = await run('explain', rows[0]?.id ?? '')
  expect(out).toMatch(/^its id hashes to slot \d+, which worker-\d owns: .*joined\nvalue \d+, \d+ ticks due/)
  const listed = await waitUntil(async () => {
    const { out: text } = await run('workers')
    return text.includes('leader:') ? text.split('\n') : undefined
  }, patience)
  expect(listed.filter((line) => /^worker-\d +alive /.test(line))).toHaveLength(3)
  expect((await run('history', '--limit', '5')).out).toMatch(/^20\d\d-.*Z {2}[a-z-]+ {2}\{/)
})

test('a command that cannot be done is one sentence and an exit code', async () => {
  expect(await run('drain', 'nobody')).toMatchObject({
    out: '',
    err: 'scaler: no live worker is called "nobody"; see GET /v1/workers (404)',
    code: 1,
  })
  expect(await run('workers', '--url', 'http://127.0.0.1:1')).toMatchObject({
    err: expect.stringMatching(/^scaler: the control plane at http:\/\/127\.0\.0\.1:1 cannot be reached/),
    code: 1,
  })
  expect(await run('rows', 'burn')).toMatchObject({ err: expect.stringContaining('write rows add <count>'), code: 2 })
  expect(await run('explain')).toMatchObject({ err: 'scaler: <id> is missing; see --help', code: 2 })
})

test('paused, nothing ticks; resumed, the pause is skipped and no tick is lost or doubled', async () => {
  await progress(1n)
  expect((await run('pause')).out).toMatch(/^paused since 20/)
  const before = await cluster.store.rows.list(undefined, 1_000)
  const { pausedSinceMs = 0 } = await cluster.store.operator.pauseState()
  await waitUntil(() => Date.now() - pausedSinceMs > 4_000, patience)
  expect(await cluster.store.rows.list(undefined, 1_000), 'not one value has changed').toEqual(before)
  await waitUntil(() => workers.get('worker-0')?.stdout.at(-1)?.includes('"paused":true'), patience)
  expect((await run('resume')).out).toBe('ticking')
  const resumed = await snapshotTicks(cluster.store.rows)
  await progress(2n)
  expect(compareTicks(resumed, await snapshotTicks(cluster.store.rows))).toMatchObject({
    rows: 900,
    doubledRows: 0,
    lostRows: 0,
  })
})

test('a rolling restart within the grace moves no row, and no tick is lost', async () => {
  const [owners, before] = [await ownersOf(), await snapshotTicks(cluster.store.rows)]
  const plans = async () => (await cluster.store.leaders.history(1_000)).filter(({ kind }) => kind === 'planned').length
  const planned = await plans()
  for (const name of names) {
    const former = workers.get(name)
    former?.kill('SIGTERM')
    await expect(former?.exit).resolves.toEqual({ code: 0, signal: null })
    expect(former?.stdout.some((line) => line.includes('leaving to come back'))).toBe(true)
    const member = (await cluster.store.leaders.members()).find((each) => each.name === name)
    expect(member).toMatchObject({ away: true, alive: true })
    await start(name)
  }
  await progress(2n)
  expect(await ownersOf()).toEqual(owners)
  expect(await plans(), 'plans made meanwhile').toBe(planned)
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({
    rows: 900,
    doubledRows: 0,
    lostRows: 0,
  })
})

test('plan --what-if says what a change would cost by each strategy', async () => {
  const { out } = await run('plan', '--what-if', '--add', '1')
  const lines = out.split('\n')
  expect(lines[0]).toMatch(/^strategy +moved rows +over minimum +max\/mean +rows to adopt it$/)
  expect(lines.slice(1, 5).map((line) => line.split(/ +/)[0])).toEqual(['sticky', 'bounded', 'ring', 'rendezvous'])
  const { strategies } = await told<{ strategies: { movedRows: number; minimumRows: number }[] }>(
    'plan',
    '--what-if',
    '--remove',
    'worker-2',
    '--strategy',
    'sticky',
  )
  expect(strategies).toHaveLength(1)
  expect(strategies[0]?.movedRows).toBe(strategies[0]?.minimumRows)
})

test('drained, a worker gives everything away and is gone when it stops, grace or not', async () => {
  const before = await snapshotTicks(cluster.store.rows)
  expect((await run('drain', 'worker-2')).out).toBe('worker-2 gives all its rows to others')
  await settledOn('worker-0', 'worker-1')
  const leaving = workers.get('worker-2')
  leaving?.kill('SIGTERM')
  await expect(leaving?.exit).resolves.toEqual({ code: 0, signal: null })
  await waitUntil(
    async () => (await cluster.store.leaders.members()).find(({ name }) => name === 'worker-2')?.alive === false,
    patience,
  )
  await progress(1n)
  expect(compareTicks(before, await snapshotTicks(cluster.store.rows))).toMatchObject({ doubledRows: 0, lostRows: 0 })
})

test('limits are changed while all runs', async () => {
  expect((await run('limits', 'churnBudgetRows=10', 'rebalanceIntervalMs=250')).out).toContain('churnBudgetRows=10')
  await told('limits', 'churnBudgetRows=default', 'rebalanceIntervalMs=default')
  expect((await run('limits', 'minWorkers=11')).err).toContain('minWorkers (11) is above maxWorkers (10)')
})
