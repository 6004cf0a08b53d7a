import { defaultSlots } from '@ballast/hashing'
import type { WorkItemStore } from './port.ts'
import { checkTickable } from './postgres/check-tickable.ts'
import { messageOf } from '../message-of.ts'
import { connect, serverName } from './postgres/connection.ts'
import { leaderSide } from './postgres/leader-side.ts'
import { checkServer, migrate, readFacts } from './postgres/migrate.ts'
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
  const { url, applicationName = 'ballast-scaler', slots = defaultSlots, timeoutMs } = options
  const database = connect({ url, applicationName, ...(timeoutMs !== undefined && { timeoutMs }) })
  try {
    const version = await checkServer(database)
    await checkTickable(database)
    try {
      await migrate(database, slots)
    } catch (cause) {
      throw new Error(`the database cannot be prepared: ${messageOf(cause)}`, { cause })
    }
    const facts = await readFacts(database, version)
    if (options.slots !== undefined && facts.slots !== options.slots) {
      throw new Error(
        `this store was made with ${facts.slots} slots, and ${options.slots} are asked for; leave the number out`,
      )
    }
    return {
      backend: 'postgres',
      slots: facts.slots,
      workers: workerSide(database, facts),
      leaders: leaderSide(database, facts),
      operator: operatorSide(database, facts),
      rows: rowsOf(database),
      check: async () => void (await database.query('SELECT 1')),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    const [name, what] = [serverName(url), messageOf(error)]
    throw new Error(what.startsWith(name) ? what : `${name} cannot be used: ${what}`, { cause: error })
  }
}
