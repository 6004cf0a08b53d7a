import type { Explanation, Row, RowOffset, Rows } from '../port.ts'
import type { Database } from './connection.ts'

interface RowRow {
  readonly id: string
  readonly value: string | number | null
  readonly last_tick: string
  readonly currentworker: string | null
}

interface ListedRow extends RowRow {
  readonly born: string | null
}

const explainStatement = `
SELECT i.id, i.value, i.last_tick::text, i.currentworker, i.slot, s.owner, s.target, l.epoch::text,
  extract(epoch FROM s.since)::float8 * 1000 AS since_ms, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now_ms,
  coalesce(w.expires_at > clock_timestamp(), false) AS alive, coalesce(w.away AND w.expires_at > clock_timestamp(), false) AS away,
  s.cause, s.history
FROM public.work_items i LEFT JOIN ballast_scaler.slots s USING (slot) LEFT JOIN ballast_scaler.leases l ON l.worker = s.owner
  LEFT JOIN ballast_scaler.workers w ON w.name = s.owner
WHERE i.id = $1`

interface ExplainRow extends RowRow {
  readonly slot: number
  readonly owner: string | null
  readonly target: string | null
  readonly epoch: string | null
  readonly since_ms: number | null
  readonly now_ms: number
  readonly alive: boolean
  readonly away: boolean
  readonly cause: string | null
  /** Null: the row is in no slot that there is, until the leader repairs it. */
  readonly history: readonly { owner: string; sinceMs: number; cause: string | null }[] | null
}

/** Before every uuid, for the first page. */
const start = '00000000-0000-0000-0000-000000000000'

export function rowsOf(database: Database): Rows {
  const page = (after: string | undefined, limit: number) =>
    database.query<ListedRow>(
      `SELECT id, value::text, last_tick::text, currentworker, born_xid::text AS born FROM public.work_items
       WHERE id ${after === undefined ? '>=' : '>'} $1 ORDER BY id LIMIT $2`,
      [after ?? start, limit],
    )
  return {
    async count() {
      const [row] = await database.query<{ n: string }>('SELECT count(*) AS n FROM public.work_items')
      return Number(row?.n ?? 0)
    },
    list: async (after, limit) => (await page(after, limit)).map(rowOf),
    async add(rows) {
      const added = await database.query<{ n: string }>(
        `WITH added AS (INSERT INTO public.work_items (id, value)
           SELECT id, 0 FROM ${'count' in rows ? '(SELECT gen_random_uuid() AS id FROM generate_series(1, $1::integer))' : 'unnest($1::uuid[])'} AS given (id)
           ON CONFLICT DO NOTHING RETURNING 1)
         SELECT count(*) AS n FROM added`,
        ['count' in rows ? rows.count : rows.ids],
      )
      return Number(added[0]?.n ?? 0)
    },
    async remove(rows) {
      const which =
        'count' in rows ? 'SELECT id FROM public.work_items ORDER BY id LIMIT $1' : 'SELECT unnest($1::uuid[])'
      const removed = await database.query<{ n: string }>(
        `WITH removed AS (DELETE FROM public.work_items WHERE id IN (${which}) RETURNING 1) SELECT count(*) AS n FROM removed`,
        ['count' in rows ? rows.count : rows.ids],
      )
      return Number(removed[0]?.n ?? 0)
    },
    async explain(id): Promise<Explanation | undefined> {
      const [row] = await database.query<ExplainRow>(explainStatement, [id])
      if (row === undefined) return undefined
      return {
        ...rowOf(row),
        slot: row.slot,
        owner: row.owner ?? undefined,
        target: row.target ?? undefined,
        ownerSinceMs: row.owner === null ? undefined : (row.since_ms ?? undefined),
        epoch: row.epoch === null ? undefined : BigInt(row.epoch),
        ownerAlive: row.alive,
        ownerAway: row.away,
        cause: row.cause ?? undefined,
        formerOwners: (row.history ?? []).map(({ cause, ...former }) => ({ ...former, cause: cause ?? undefined })),
        nowMs: row.now_ms,
      }
    },
    async offsets(after, limit): Promise<readonly RowOffset[]> {
      const rows = await page(after, limit)
      return rows.map(({ id, value, last_tick, born }) => ({
        id,
        value: value === null ? undefined : BigInt(value),
        // As a tick takes it.
        lastTick: last_tick.startsWith('-') ? 0n : BigInt(last_tick),
        born: born ?? '',
      }))
    },
  }
}

function rowOf({ id, value, last_tick, currentworker }: RowRow): Row {
  return {
    id,
    value: value === null ? undefined : Number(value),
    lastTick: BigInt(last_tick),
    worker: currentworker ?? undefined,
  }
}
