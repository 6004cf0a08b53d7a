import { startPostgresPair } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { compareTicks, openWorkItemStore, snapshotTicks, type WorkItemStore } from '@ballast/state-stores/work-item'
import { startProcess, waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { leaderTtlMs, leaseTtlMs, main } from './cluster.ts'
import { recordTicks } from './tick-history.ts'

const rounds = Number(process.env['FAILOVER_ROUNDS'] ?? 1)
const rows = 500
const patience = { timeoutMs: 120_000, everyMs: 100 }

async function allTick(store: WorkItemStore): Promise<boolean> {
  const { oldestTick = 0n } = await snapshotTicks(store.rows)
  return Date.now() / 1000 - Number(oldestTick) < 2.5
}

/** The primary goes on, and nothing of it reaches the standby any more. */
async function stopCopying(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows: senders } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_replication')
  await client.end()
  expect(senders).toHaveLength(1)
  for (const { pid } of senders) process.kill(pid, 'SIGSTOP')
}

/** What a new primary will not know of: ticks, and fences whose epochs it hands out again. */
async function tail(store: WorkItemStore): Promise<void> {
  const { oldestTick = 0n } = await snapshotTicks(store.rows)
  await store.workers.drain({ name: 'worker-2' })
  const drained = async () =>
    !(await store.leaders.map()).owners.includes('worker-2') &&
    ((await snapshotTicks(store.rows)).oldestTick ?? 0n) > oldestTick + 2n
  await waitUntil(drained, { ...patience, what: 'rows to move and tick on the primary alone' })
}

/** Workers, a control plane and one worker that sleeps through it all, while the primary is killed and the standby promoted. */
async function failOver(synchronous: boolean) {
  await using pair = await startPostgresPair({ synchronous, durability: 'process' })
  await using store = await openWorkItemStore(pair.url, { applicationName: 'test' })
  await using stack = new AsyncDisposableStack()
  const start = async (...args: string[]) => {
    const env = { SCALER_STORE: pair.url }
    const started = stack.use(startProcess({ args: [main, ...args, '--listen', '127.0.0.1:0'], env }))
    await started.waitForLine(/"listening"/)
    return started
  }
  const worker = (name: string) => start('worker', '--name', name, '--lease-ttl-ms', String(leaseTtlMs))
  const [sleeper] = await Promise.all([
    worker('worker-0'),
    worker('worker-1'),
    worker('worker-2'),
    start('control-plane', '--leader-ttl-ms', String(leaderTtlMs)),
  ])
  await store.rows.add({ count: rows })
  await waitUntil(() => allTick(store), { ...patience, what: 'all rows to be ticked by the first primary' })
  const before = await snapshotTicks(store.rows)

  sleeper.kill('SIGSTOP')
  if (!synchronous) await stopCopying(pair.primary.url)
  // Answered, and so kept by a synchronous standby; an asynchronous one does not have them.
  const late = await store.rows.add({ count: 50 })
  if (!synchronous) await tail(store)
  const acknowledged = await snapshotTicks(store.rows)
  await pair.primary.kill()
  await pair.promote()
  const history = recordTicks(pair.standby.url)
  const promoted = await waitUntil(() => snapshotTicks(store.rows).catch(() => undefined), {
    ...patience,
    what: 'the new primary to be found',
  })
  sleeper.kill('SIGCONT')
  await waitUntil(() => allTick(store).catch(() => false), {
    ...patience,
    what: 'all rows to be ticked by the new one',
  })
  const verdict = compareTicks(before, await snapshotTicks(store.rows))
  return {
    verdict,
    history: await history.stop(),
    lostRows: rows + late - promoted.offsets.size,
    lostTailSeconds: Number((acknowledged.oldestTick ?? 0n) - (promoted.oldestTick ?? 0n)),
  }
}

await describeOnBackend('postgres', () => {
  const timeout = rounds * 400_000

  test(
    'a synchronous standby takes over: nothing answered is lost, nothing doubled, no stale writer',
    { timeout },
    async ({ annotate }) => {
      for (let round = 0; round < rounds; round++) {
        const { verdict, history, lostRows, lostTailSeconds } = await failOver(true)
        await annotate(`round ${round + 1}: longest unowned window ${Math.round(history.longestUnownedMs)} ms`)
        expect(verdict).toMatchObject({ rows, doubledTicks: 0n, lostTicks: 0n })
        expect(history.staleWrites).toBe(0)
        expect(lostRows).toBe(0)
        expect(lostTailSeconds).toBeLessThanOrEqual(0)
      }
    },
  )

  test(
    'an asynchronous one takes over: only rows of the last moment are gone, ticks are credited again, no stale writer',
    { timeout },
    async ({ annotate }) => {
      for (let round = 0; round < rounds; round++) {
        const { verdict, history, lostRows, lostTailSeconds } = await failOver(false)
        await annotate(
          `round ${round + 1}: ${lostRows} rows and ${lostTailSeconds} s of ticks were in the lost tail; longest unowned window ${Math.round(history.longestUnownedMs)} ms`,
        )
        expect(verdict).toMatchObject({ rows, doubledTicks: 0n, lostTicks: 0n })
        expect(history.staleWrites).toBe(0)
        expect(lostRows, 'what was answered, but had not been copied').toBe(50)
        expect(lostTailSeconds).toBeGreaterThanOrEqual(2)
      }
    },
  )
})
