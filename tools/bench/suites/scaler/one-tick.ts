import { setTimeout as delay } from 'node:timers/promises'
import type { WorkerLease, WorkItemStore } from '@ballast/state-stores/work-item'
import type pg from 'pg'
import type { BenchCase } from '../../case.ts'
import { leases, tableOf } from './table.ts'

const rows = 50_000

export const tickVsRowByRow: BenchCase = {
  name: 'scaler/tick-vs-row-by-row',
  unit: 'rows/s',
  higherIsBetter: true,
  compares: `the fenced, set-based tick of ${rows} rows with an UPDATE for each row in turn, same table, embedded PostgreSQL`,
  async open(stack, { measureMs }) {
    const { store, client } = await tableOf(stack, rows)
    const lease = await leaseOfAll(store)
    const ids = (await store.rows.list(undefined, rows)).map(({ id }) => id)
    return {
      ours: () => ticked(() => tick(store, lease), measureMs),
      peer: () => rowByRow(client, ids, measureMs),
    }
  },
}

export const fencedVsUnfenced: BenchCase = {
  name: 'scaler/fenced-vs-unfenced',
  unit: 'rows/s',
  higherIsBetter: true,
  compares: `the tick of ${rows} rows with the same UPDATE without lease and guard; two tables alike, once a second each`,
  async open(stack, { measureMs }) {
    const { store } = await tableOf(stack, rows)
    const bare = await tableOf(stack, rows)
    const lease = await leaseOfAll(store)
    return {
      ours: () => ticked(() => tick(store, lease), measureMs),
      peer: () => ticked(() => tickUnfenced(bare.client, lease), measureMs),
    }
  },
}

async function leaseOfAll(store: WorkItemStore): Promise<WorkerLease> {
  const [lease] = await leases(store, 1)
  if (lease === undefined) throw new Error('nobody has a lease')
  return lease
}

async function tick(store: WorkItemStore, lease: WorkerLease): Promise<number> {
  const outcome = await store.workers.tick(lease)
  if (outcome.kind !== 'ticked') throw new Error(`the tick was answered ${outcome.kind}`)
  return outcome.rows
}

const unfencedStatement = `
WITH clock AS MATERIALIZED (
  SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS tick
), ticked AS (
  UPDATE public.work_items AS item
  SET value = least(item.value::bigint + ((SELECT tick FROM clock) - item.last_tick), 2147483647)::integer,
      last_tick = (SELECT tick FROM clock), currentworker = $2
  WHERE item.slot = ANY ($1::integer[]) AND item.value IS NOT NULL
  RETURNING item.id, item.value = 2147483647 AS full
)
SELECT count(*)::integer AS rows, count(*) FILTER (WHERE ticked.full)::integer AS saturated,
  coalesce(bit_xor(uuid_hash_extended(id, 0)), 0)::text AS fingerprint
FROM ticked`

async function tickUnfenced(client: pg.Client, { name, slots }: WorkerLease): Promise<number> {
  const answer = await client.query<{ rows: number }>(unfencedStatement, [slots, name])
  return answer.rows[0]?.rows ?? 0
}

/** Rows a second of the time spent ticking: a tick is due once a second and is waited for outside the measurement. */
async function ticked(once: () => Promise<number>, measureMs: number): Promise<number> {
  let rowsTicked = 0
  let spentMs = 0
  const endMs = performance.now() + measureMs
  while (performance.now() < endMs || rowsTicked === 0) {
    await delay(1_020 - (Date.now() % 1_000))
    const startedMs = performance.now()
    const ofThisTick = await once()
    if (ofThisTick === 0) continue
    spentMs += performance.now() - startedMs
    rowsTicked += ofThisTick
  }
  return (rowsTicked * 1000) / spentMs
}

async function rowByRow(client: pg.Client, ids: readonly string[], measureMs: number): Promise<number> {
  const statement = { name: 'one', text: 'UPDATE work_items SET value = value + 1 WHERE id = $1' }
  const startedMs = performance.now()
  let updated = 0
  while (performance.now() - startedMs < measureMs) {
    await client.query({ ...statement, values: [ids[updated % ids.length]] })
    updated++
  }
  return (updated * 1000) / (performance.now() - startedMs)
}
