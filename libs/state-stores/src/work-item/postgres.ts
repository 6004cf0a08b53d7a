import { defaultSlots } from '@ballast/hashing'
import type { WorkItemStore } from './port.ts'
import { checkTickable } from './postgres/check-tickable.ts'
import { messageOf } from '../message-of.ts'
import { connect, type Database } from './postgres/connection.ts'
import { leaderSide } from './postgres/leader-side.ts'
import { checkServer, checkTables, migrate, readFacts, type ServerFacts } from './postgres/migrate.ts'
import { operatorSide } from './postgres/operator-side.ts'
import { rowsOf } from './postgres/rows.ts'
import { workerSide } from './postgres/worker-side.ts'

export interface PostgresWorkItemOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string
  /** How long one statement may take. Default: 10 s. */
  readonly timeoutMs?: number
  /** Only for a store that is made now: a power of two up to 2^20. */
  readonly slots?: number
}

/**
 * Rows in `public.work_items`, bookkeeping in the schema `ballast_scaler`; both are made when missing, in one transaction.
 * Needs PostgreSQL 14; from 18 on late ticks are told exactly. "Never lost" over a fail-over needs a synchronous stand-by: with an
 * asynchronous one the ticks of the replication lag are repeated, since they are not in the new primary, and their fences are void.
 * Not for a transaction pooler (it would drop the session's time-outs).
 */
export async function openPostgresWorkItems(options: PostgresWorkItemOptions): Promise<WorkItemStore> {
  const { url, applicationName = 'ballast-scaler', timeoutMs } = options
  const database = connect({ url, applicationName, ...(timeoutMs !== undefined && { timeoutMs }) })
  try {
    const facts = await sayingWhich(database, () => prepare(database, options))
    return {
      backend: 'postgres',
      slots: facts.slots,
      workers: workerSide(database, facts),
      leaders: leaderSide(database, facts),
      operator: operatorSide(database, facts),
      rows: rowsOf(database),
      check: () => sayingWhich(database, () => checkTables(database)),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

async function prepare(database: Database, { slots }: Pick<PostgresWorkItemOptions, 'slots'>): Promise<ServerFacts> {
  const version = await checkServer(database)
  await checkTickable(database)
  try {
    await migrate(database, slots ?? defaultSlots)
  } catch (cause) {
    throw new Error(`the database cannot be prepared: ${messageOf(cause)}`, { cause })
  }
  const facts = await readFacts(database, version)
  if (slots !== undefined && facts.slots !== slots) {
    throw new Error(`this store was made with ${facts.slots} slots, and ${slots} are asked for; leave the number out`)
  }
  return facts
}

/** Errors that do not name the server yet do so then. */
async function sayingWhich<T>({ name }: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const what = messageOf(cause)
    if (what.includes(name)) throw cause
    throw new Error(`${name} cannot be used: ${what}`, { cause })
  }
}
