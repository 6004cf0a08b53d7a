import type { Counter, ScanOptions } from '../port.ts'
import type { Session } from '../../postgres/connections.ts'
import { clockMs, toCounter } from './transaction.ts'

export interface ReadAnswer {
  readonly counters: readonly Counter[]
  /** By the database's clock. */
  readonly nowMs?: number
}

interface Row {
  now: string
  name: string | null
  value: string | null
  version: string
  expires_at_ms: string | null
}

/** One statement, hence one snapshot: never half a batch. */
const select = (schema: string, condition: string): string =>
  `SELECT now.ms AS now, c.name, c.value, c.version, c.expires_at_ms
  FROM (SELECT coalesce($1::bigint, ${clockMs}) AS ms) AS now
  LEFT JOIN ${schema}.counters AS c ON c.value IS NOT NULL AND (c.expires_at_ms IS NULL OR c.expires_at_ms > now.ms) AND ${condition}`

export async function readCounters(
  session: Session,
  schema: string,
  names: readonly string[],
  nowMs: number | undefined,
): Promise<ReadAnswer> {
  const { rows } = await session.query<Row>(select(schema, 'c.name = ANY($2)'), [nowMs ?? null, names])
  return answer(rows)
}

export async function scanCounters(
  session: Session,
  schema: string,
  { prefix = '', after = '', limit }: ScanOptions,
  nowMs: number | undefined,
): Promise<ReadAnswer> {
  // Names are ASCII: whatever begins with the prefix is before the prefix and a DEL.
  const { rows } = await session.query<Row>(
    `${select(schema, 'c.name > $2 AND c.name >= $3 AND c.name < $4')} ORDER BY c.name LIMIT $5`,
    [nowMs ?? null, after, prefix, `${prefix}\x7f`, limit],
  )
  return answer(rows)
}

function answer(rows: readonly Row[]): ReadAnswer {
  const counters = rows.flatMap(({ name, ...rest }) => (name === null ? undefined : toCounter({ name, ...rest })) ?? [])
  const now = rows[0]?.now
  return now === undefined ? { counters } : { counters, nowMs: Number(now) }
}
