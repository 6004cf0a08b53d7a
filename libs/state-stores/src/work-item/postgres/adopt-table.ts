import type { Session } from '../../postgres/connections.ts'
import { slotExpression } from './slot-expression.ts'

interface Column {
  readonly name: string
  readonly type: string
}

/**
 * Creates `public.work_items`, or adopts one that is there with the columns id, value and currentworker.
 *
 * - `slot` is the only thing indexed beside the key: an index on anything a tick changes would end HOT updates (no new index
 *   entries, space reclaimed without vacuum), on which the rate rests. It is generated here, which fills it; a later migration makes
 *   it a plain column.
 * - `last_tick` starts at the present second; 0 would credit every row with all seconds since 1970.
 * - fillfactor 45 leaves room for two new versions of each row in its page.
 *
 * Adopting rewrites the table once, under an exclusive lock: about 1 s per million rows.
 */
export async function createOrAdoptTable(client: Session, slots: number): Promise<void> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS public.work_items (id uuid PRIMARY KEY, value integer DEFAULT 0, currentworker text)',
  )
  await checkColumns(client)
  const storage = 'fillfactor = 45, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.1'
  await client.query(`ALTER TABLE public.work_items SET (${storage})`)
  await client.query(`CREATE FUNCTION ballast_scaler.slot_of(id uuid) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ BEGIN RETURN ${slotExpression('id', slots)}; END $$`)
  await client.query(`ALTER TABLE public.work_items
    ADD COLUMN slot integer NOT NULL GENERATED ALWAYS AS (ballast_scaler.slot_of(id)) STORED,
    ADD COLUMN last_tick bigint NOT NULL DEFAULT floor(extract(epoch FROM clock_timestamp()))`)
  await client.query('CREATE INDEX work_items_slot ON public.work_items (slot)')
}

async function checkColumns(client: Session): Promise<void> {
  const { rows: columns } = await client.query<Column>(`SELECT attname AS name, format_type(atttypid, NULL) AS type
    FROM pg_attribute WHERE attrelid = 'public.work_items'::regclass AND attnum > 0 AND NOT attisdropped`)
  const expected: Record<string, readonly string[]> = {
    id: ['uuid'],
    value: ['integer', 'bigint'],
    currentworker: ['text', 'character varying'],
  }
  for (const [name, types] of Object.entries(expected)) {
    const column = columns.find((candidate) => candidate.name === name)
    if (column === undefined) throw wrong(`has no column "${name}" (${types.join(' or ')})`)
    if (!types.includes(column.type))
      throw wrong(`has a column "${name}" of type ${column.type}, not ${types.join(' or ')}`)
  }
  const taken = columns.find(({ name }) => ['slot', 'last_tick', 'born_xid'].includes(name))
  if (taken !== undefined) throw wrong(`already has a column "${taken.name}", a name that is needed; rename it`)
  const { rows: kinds } = await client.query<{ relkind: string; unique: boolean }>(`SELECT relkind::text, EXISTS (
      SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND a.attname = 'id') AS "unique"
    FROM pg_class c WHERE c.oid = 'public.work_items'::regclass`)
  const [kind] = kinds
  if (kind?.relkind !== 'r') throw wrong('is a view, a foreign or a partitioned table, not an ordinary one')
  if (!kind.unique) throw wrong('has no primary key or unique index on "id"')
}

function wrong(what: string): Error {
  return new Error(`the table public.work_items ${what}; nothing was changed`)
}
