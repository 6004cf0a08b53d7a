import type { ServerFacts } from './migrate.ts'

/**
 * The statement everything rests on. $1 worker, $2 incarnation, $3 epoch, $4 nonce, $5 expected time in ms or null, $6 tolerance in ms.
 *
 * - `FOR SHARE` on the lease row: whoever replaces the fence waits until this statement has committed, and this statement, when it had
 *   to wait for a replacement, finds no lease any more. Without it the statement writes under a fence that is gone (seen: 12 of 60 races).
 * - `last_tick < tick`: a row is credited once for a tick even when its old and its new owner tick in the same second.
 * - The slots come from the lease row and the tick from the database's clock: the caller cannot get either wrong.
 * - `moment` is read by scalar subqueries, once: joined, its row with an array of thousands of slots would be carried along with each
 *   updated row.
 * - A `last_tick` below 0, which only somebody else can have written, counts as 0: the difference to the smallest bigint does not fit one, and
 *   one row would stop all.
 * - `currentworker` is written along; it is not indexed and rarely changes, so the update stays HOT.
 */
export function tickStatement(
  { valueType, returnsOldRows }: ServerFacts,
  rows: 'wait-for-locks' | 'skip-locked',
): string {
  const max = valueType === 'bigint' ? '9223372036854775807' : '2147483647'
  // The sum must not overflow before it is capped.
  const wide = valueType === 'bigint' ? 'numeric' : 'bigint'
  const due =
    'item.slot = ANY ((SELECT slots FROM moment)::integer[]) AND item.last_tick < (SELECT tick FROM moment) AND item.value IS NOT NULL'
  const skipping = rows === 'skip-locked'
  const free = `, free AS MATERIALIZED (
  SELECT item.ctid AS place FROM public.work_items item WHERE ${due} FOR NO KEY UPDATE OF item SKIP LOCKED
)`
  const gap = returnsOldRows ? 'item.last_tick - greatest(old.last_tick, 0)' : 'NULL::bigint'
  return `
WITH lease AS MATERIALIZED (
  SELECT slots FROM ballast_scaler.leases
  WHERE worker = $1 AND incarnation = $2 AND epoch = $3 AND nonce = $4
  FOR SHARE
), clock AS MATERIALIZED (
  SELECT slots, clock_timestamp() AS now FROM lease
), moment AS MATERIALIZED (
  SELECT slots, floor(extract(epoch FROM now))::bigint AS tick FROM clock
  WHERE $5::float8 IS NULL OR abs(extract(epoch FROM now) * 1000 - $5) <= $6::float8
)${skipping ? free : ''}, ticked AS (
  UPDATE public.work_items AS item
  SET value = least(item.value::${wide} + ((SELECT tick FROM moment) - greatest(item.last_tick, 0)), ${max})::${valueType},
      last_tick = (SELECT tick FROM moment), currentworker = $1
  ${skipping ? 'FROM free' : ''}
  WHERE ${skipping ? 'item.ctid = free.place' : due}
  RETURNING item.id, item.value = ${max} AS full, ${gap} AS gap
)
SELECT (SELECT count(*)::integer FROM lease) AS leases,
  (SELECT tick::text FROM moment) AS tick,
  (SELECT extract(epoch FROM now)::float8 * 1000 FROM clock) AS now_ms,
  count(*)::integer AS rows,
  count(*) FILTER (WHERE ticked.full)::integer AS saturated,
  (sum(gap) - count(*))::float8 AS caught_up,
  max(gap)::float8 AS longest_gap,
  coalesce(bit_xor(uuid_hash_extended(id, 0)), 0)::text AS fingerprint,
  (SELECT count(*)::integer FROM ballast_scaler.slots s
   WHERE s.owner = $1 AND s.owner IS DISTINCT FROM s.target AND s.target = ANY ((SELECT ballast_scaler.living())::text[])) AS to_hand_over
FROM ticked`
}

export interface TickRow {
  readonly leases: number
  readonly tick: string | null
  readonly now_ms: number | null
  readonly rows: number
  readonly saturated: number
  readonly caught_up: number | null
  readonly longest_gap: number | null
  readonly fingerprint: string
  readonly to_hand_over: number
}
