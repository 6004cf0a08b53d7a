import { clockMs } from './transaction.ts'
import type { Session } from '../../postgres/connections.ts'

/** Longer than any answer, or any commit on its way, can be late. */
const batchLifeMs = 600_000
/** Rows of each kind that one sweep removes: a few milliseconds. */
const most = 1_000

/**
 * Frees what time has made worthless. Each statement is a transaction of its own and takes only rows that nobody holds,
 * so it waits for nobody and nobody long for it.
 */
export async function sweep(session: Session, schema: string, nowMs: number | undefined): Promise<void> {
  const now = nowMs === undefined ? clockMs : `${nowMs}`
  const some = (table: string, condition: string): string =>
    `SELECT ctid FROM ${schema}.${table} WHERE ${condition} LIMIT ${most} FOR UPDATE SKIP LOCKED`
  const remove = (table: string, condition: string): string =>
    `DELETE FROM ${schema}.${table} WHERE ctid = ANY(ARRAY(${some(table, condition)}))`
  await session.query(remove('tokens', `expires_at_ms <= ${now}`))
  await session.query(remove('token_tally', `expires_at_ms <= ${now}`))
  await session.query(remove('batches', `at_ms <= ${clockMs} - ${batchLifeMs}`))
  await session.query(remove('counters', 'value IS NULL'))
  await session.query(remove('counters', `expires_at_ms <= ${now}`))
}
