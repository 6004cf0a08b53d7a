import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { openWorkItemStore, type WorkerLease, type WorkItemStore } from '@ballast/state-stores/work-item'
import pg from 'pg'
import { benchFolder } from '../../folder.ts'

export interface Table {
  readonly store: WorkItemStore
  readonly client: pg.Client
  /** `postgres://`, with the rights of a superuser. */
  readonly url: string
  readonly folder: string
}

/** A PostgreSQL of its own with so many rows. */
export async function tableOf(stack: AsyncDisposableStack, rows: number): Promise<Table> {
  const folder = await benchFolder(stack)
  const postgres = await startEmbeddedPostgres({ dataDir: folder })
  stack.defer(() => postgres.stop())
  const { url } = postgres
  const store = stack.use(await openWorkItemStore(url))
  await addRows(store, rows)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  stack.defer(() => client.end())
  return { store, client, url, folder }
}

const rowsAtOnce = 50_000

export async function addRows(store: WorkItemStore, rows: number): Promise<void> {
  for (let added = 0; added < rows; added += rowsAtOnce) {
    await store.rows.add({ count: Math.min(rowsAtOnce, rows - added) })
  }
}

/** So many workers, each of which owns an equal share of the slots. */
export async function leases(store: WorkItemStore, workers: number): Promise<WorkerLease[]> {
  const ttlMs = 3_600_000
  const identities = Array.from({ length: workers }, (_, i) => ({
    name: `bench-${i}`,
    incarnation: crypto.randomUUID(),
  }))
  const join = (identity: (typeof identities)[number]) => store.workers.register(identity, { weight: 1, ttlMs })
  for (const identity of identities) await join(identity)
  const leader = await store.leaders.campaign('bench', ttlMs)
  if (leader === undefined) throw new Error('somebody else leads a database that was just made')
  const targets = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: `bench-${slot % workers}` }))
  await store.leaders.publish(leader, targets)
  await store.leaders.takeOver(leader)
  // Registering again returns the lease as it is now.
  return Promise.all(identities.map(join))
}
