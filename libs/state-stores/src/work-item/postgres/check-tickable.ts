import { longestWorkerName } from '../port.ts'
import type { Database } from './connection.ts'

interface Obstacle {
  readonly what: string
}

/**
 * What could make PostgreSQL refuse the update of one row, or do something else instead: a tick is one statement for all rows of a
 * worker, so one refused row would stop them all. Written columns are value, currentworker and last_tick; our own triggers do not
 * fire on them, and a NOT NULL is never violated by what a tick writes.
 */
const obstacles = `
WITH item AS (SELECT oid FROM pg_class WHERE oid = to_regclass('public.work_items') AND relkind = 'r'),
written AS (
  SELECT a.attnum, a.attname, a.atttypmod FROM pg_attribute a JOIN item ON a.attrelid = item.oid
  WHERE a.attname IN ('value', 'currentworker', 'last_tick') AND NOT a.attisdropped
)
SELECT format('has a column "currentworker" of %s characters, and the name of a worker may have %s', atttypmod - 4, $1::integer) AS what
FROM written WHERE attname = 'currentworker' AND atttypmod BETWEEN 0 AND $1::integer + 3
UNION ALL
SELECT format('has the constraint %I on a column that ticks write (%s)', c.conname, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN item ON c.conrelid = item.oid
WHERE c.contype IN ('c', 'f', 'u', 'p', 'x') AND (0 = ANY (c.conkey) OR EXISTS (SELECT FROM written WHERE attnum = ANY (c.conkey)))
UNION ALL
SELECT format('has the unique index %s on a column that ticks write', i.indexrelid::regclass)
FROM pg_index i JOIN item ON i.indrelid = item.oid
WHERE i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
  AND EXISTS (SELECT FROM pg_depend d JOIN written ON d.refobjsubid = written.attnum
    WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid)
UNION ALL
SELECT format('has the trigger %I, which ticks would fire', t.tgname)
FROM pg_trigger t JOIN item ON t.tgrelid = item.oid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 = 16
  AND (t.tgattr = '' OR EXISTS (SELECT FROM written WHERE attnum = ANY (t.tgattr)))
UNION ALL
SELECT format('has the rule %I for its updates', r.rulename)
FROM pg_rewrite r JOIN item ON r.ev_class = item.oid WHERE r.ev_type = '2' AND r.ev_enabled <> 'D'
LIMIT 1`

/**
 * Refuses a table whose rows cannot all be ticked; called at each start, because it may have been altered since. Changes nothing; a table
 * that is not there is fine. What is added while workers run fails their ticks, with the reason in their log, and is named by the next start.
 * @throws Error one sentence.
 */
export async function checkTickable(database: Database): Promise<void> {
  const [obstacle] = await database.query<Obstacle>(obstacles, [longestWorkerName])
  if (obstacle !== undefined) {
    throw new Error(
      `the table public.work_items ${obstacle.what}: it could stop the ticks of all rows, so remove it; nothing was changed`,
    )
  }
}
