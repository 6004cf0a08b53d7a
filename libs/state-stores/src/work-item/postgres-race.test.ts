import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { waitUntil } from '@ballast/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Leader, WorkItemStore, WorkerLease } from './port.ts'
import { openPostgresWorkItems } from './postgres.ts'
import { testPostgres, type TestDatabase } from './test-postgres.ts'
import { compareTicks, snapshotTicks } from './tick-check.ts'

const rows = 2_000
const slots = 64
const rounds = Number(process.env['RACE_ROUNDS'] ?? 25)
const longMs = 600_000

const server = await testPostgres()
let database: TestDatabase
let store: WorkItemStore
let leader: Leader

beforeAll(async () => {
  database = await server.database()
  store = await openPostgresWorkItems({ url: database.url, slots })
  await store.rows.add({ count: rows })
  const elected = await store.leaders.campaign('x', longMs)
  if (elected === undefined) throw new Error('no leader')
  leader = elected
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const join = (name: string) => store.workers.register({ name, incarnation: randomUUID() }, { weight: 1, ttlMs: longMs })
const aim = (name: string) =>
  store.leaders.publish(
    leader,
    Array.from({ length: slots }, (_, slot) => ({ slot, to: name })),
  )
const expire = (name: string) =>
  database.run('UPDATE ballast_scaler.workers SET expires_at = clock_timestamp() WHERE name = $1', [name])

/** `owner` holds every slot, every row is two ticks behind, and the leader is about to give all of it to `heir`. */
async function stage(owner: string, heir: string): Promise<{ old: WorkerLease; next: WorkerLease }> {
  const next = await join(heir)
  await join(owner)
  await aim(owner)
  await expire(heir)
  await store.leaders.takeOver(leader)
  const old = await join(owner)
  expect(old.slots).toHaveLength(slots)
  await database.run(
    `UPDATE ballast_scaler.workers SET expires_at = clock_timestamp() + interval '1 hour' WHERE name = $1`,
    [heir],
  )
  await database.run('UPDATE work_items SET last_tick = last_tick - 2, value = value - 2')
  await aim(heir)
  await expire(owner)
  return { old, next }
}

async function tickWithCurrentLease(lease: WorkerLease): Promise<number> {
  const outcome = await store.workers.tick(lease)
  if (outcome.kind === 'ticked') return outcome.rows
  if (outcome.kind !== 'fenced') throw new Error(outcome.kind)
  return tickWithCurrentLease(outcome.lease)
}

test(
  'old and new owner in the same second, the fence replaced at a random moment of the old one’s statement: nothing doubled or lost',
  { timeout: 90_000 + rounds * 5_000 },
  async () => {
    let before = await snapshotTicks(store.rows)
    let fenced = 0
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 25 }), async (waitMs) => {
        const [owner, heir] = round++ % 2 === 0 ? ['a', 'b'] : ['b', 'a']
        const { old, next } = await stage(owner ?? '', heir ?? '')
        const late = store.workers.tick(old)
        await delay(waitMs)
        await store.leaders.takeOver(leader)
        await tickWithCurrentLease(next)
        const outcome = await late
        if (outcome.kind === 'fenced') fenced += 1
        const after = await snapshotTicks(store.rows)
        expect(compareTicks(before, after)).toMatchObject({ rows, doubledRows: 0, lostRows: 0 })
        await expect(store.workers.tick(old)).resolves.toMatchObject({ kind: 'fenced' })
        before = after
      }),
      { numRuns: rounds, endOnFailure: true },
    )
    expect(round).toBe(rounds)
    expect(fenced).toBeLessThan(rounds)
  },
)

test('a new fence waits for the statement that runs under the old one', async () => {
  const { old } = await stage('a', 'b')
  await using holder = await database.session()
  await holder.run('BEGIN')
  await holder.run('SELECT FROM work_items ORDER BY id LIMIT 1 FOR UPDATE')
  const order: string[] = []
  const tick = store.workers.tick(old).then((outcome) => order.push(outcome.kind))
  await waitUntil(
    async () =>
      (await database.run(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%last_tick%'`))
        .length > 0,
    { what: 'the tick to be in the midst of its rows' },
  )
  const bump = store.leaders.takeOver(leader).then(() => order.push('new fence'))
  await waitUntil(
    async () =>
      order.length > 0 ||
      (await database.run(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%take_over%'`))
        .length > 0,
    { what: 'the leader to wait for the tick, or not' },
  )
  expect(order).toEqual([])
  await holder.run('ROLLBACK')
  await Promise.all([tick, bump])
  // Two connections: which answer is read first says nothing of what the server did first.
  expect(order.toSorted()).toEqual(['new fence', 'ticked'])
})

test('a heartbeat and an election do not wait for a tick', async () => {
  const { old } = await stage('a', 'b')
  await using holder = await database.session()
  await holder.run('BEGIN')
  await holder.run(`SELECT FROM ballast_scaler.leases WHERE worker = 'a' FOR SHARE`)
  const report = { ttlMs: longMs, rows: 0, lastTickMs: 0, longestGapTicks: 0 }
  await expect(store.workers.heartbeat(old, report)).resolves.toMatchObject({ kind: 'alive' })
  await expect(store.leaders.renew(leader, longMs)).resolves.toBe(true)
  await holder.run('ROLLBACK')
})
