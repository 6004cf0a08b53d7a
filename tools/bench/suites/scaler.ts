import { setTimeout as delay } from 'node:timers/promises'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { openWorkItemStore, type WorkerLease, type WorkItemStore } from '@ballast/state-stores/work-item'
import pg from 'pg'
import type { Suite } from '../case.ts'
import { benchFolder } from '../folder.ts'

const rows = 10_000

export const scaler: Suite = {
  name: 'scaler',
  summary: 'ticking rows in PostgreSQL: one fenced statement against a statement a row',
  cases: [
    {
      name: 'scaler/tick-10k',
      unit: 'rows/s',
      higherIsBetter: true,
      compares: `the fenced, set-based tick of ${rows} rows with an UPDATE for each row in turn, same table, embedded PostgreSQL`,
      async open(stack, { measureMs }) {
        const postgres = await startEmbeddedPostgres({ dataDir: await benchFolder(stack) })
        stack.defer(() => postgres.stop())
        const store = stack.use(await openWorkItemStore(postgres.url))
        await store.rows.add({ count: rows })
        const lease = await leaseOfAll(store)
        const ids = (await store.rows.list(undefined, rows)).map(({ id }) => id)
        const client = new pg.Client({ connectionString: postgres.url })
        await client.connect()
        stack.defer(() => client.end())
        return {
          ours: () => setBased(store, lease, measureMs),
          peer: () => rowByRow(client, ids, measureMs),
        }
      },
    },
  ],
}

/** One worker that owns every slot. */
async function leaseOfAll(store: WorkItemStore): Promise<WorkerLease> {
  const identity = { name: 'bench', incarnation: crypto.randomUUID() }
  const ttlMs = 3_600_000
  await store.workers.register(identity, { weight: 1, ttlMs })
  const leader = await store.leaders.campaign('bench', ttlMs)
  if (leader === undefined) throw new Error('somebody else leads a database that was just made')
  const targets = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: identity.name }))
  await store.leaders.publish(leader, targets)
  await store.leaders.takeOver(leader)
  // Registering again returns the lease as it is now.
  return store.workers.register(identity, { weight: 1, ttlMs })
}

/** Rows a second of the time spent ticking: a tick is due once a second and is waited for outside the measurement. */
async function setBased(store: WorkItemStore, lease: WorkerLease, measureMs: number): Promise<number> {
  let ticked = 0
  let spentMs = 0
  const endMs = performance.now() + measureMs
  while (performance.now() < endMs || ticked === 0) {
    const startedMs = performance.now()
    const outcome = await store.workers.tick(lease)
    if (outcome.kind !== 'ticked') throw new Error(`the tick was answered ${outcome.kind}`)
    if (outcome.rows > 0) {
      spentMs += performance.now() - startedMs
      ticked += outcome.rows
    }
    await delay(50)
  }
  return (ticked * 1000) / spentMs
}

async function rowByRow(client: pg.Client, ids: readonly string[], measureMs: number): Promise<number> {
  const statement = { name: 'one', text: 'UPDATE work_items SET value = value + 1 WHERE id = $1' }
  const startedMs = performance.now()
  let ticked = 0
  while (performance.now() - startedMs < measureMs) {
    await client.query({ ...statement, values: [ids[ticked % ids.length]] })
    ticked++
  }
  return (ticked * 1000) / (performance.now() - startedMs)
}
