import type { HistoryEvent, Leader, LeaderSide, MemberState } from '../port.ts'
import type { Database } from './connection.ts'
import type { ServerFacts } from './migrate.ts'

const campaignStatement = `
UPDATE ballast_scaler.leader SET holder = $1, epoch = epoch + 1, nonce = gen_random_uuid(),
  expires_at = clock_timestamp() + $2 * interval '1 ms'
WHERE expires_at <= clock_timestamp() RETURNING epoch::text, nonce`

const membersStatement = `
SELECT w.name, w.expires_at > clock_timestamp() AS alive, w.draining, w.away, w.weight, w.zone, l.epoch::text,
  CASE WHEN s.paused_tick IS NULL THEN cardinality(l.slots)
    ELSE (SELECT count(*) FROM ballast_scaler.slots o WHERE o.owner = w.name)::integer END AS slots,
  least(w.rows, 2147483647)::integer AS rows, coalesce(extract(epoch FROM w.last_tick_at)::float8 * 1000, 0) AS last_tick_ms, least(w.longest_gap_ticks, 2147483647)::integer AS gap
FROM ballast_scaler.workers w JOIN ballast_scaler.leases l ON l.worker = w.name CROSS JOIN ballast_scaler.settings s ORDER BY w.name`

interface MemberRow extends Omit<MemberState, 'epoch' | 'lastTickMs' | 'longestGapTicks'> {
  readonly epoch: string
  readonly last_tick_ms: number
  readonly gap: number
}

export function leaderSide(database: Database, facts: ServerFacts): LeaderSide {
  /** The last answer of `countRows`, and under which leadership it was given. */
  let counted: { readonly nonce: string; readonly counts: Uint32Array } | undefined
  return {
    async campaign(name, ttlMs) {
      const [row] = await database.query<{ epoch: string; nonce: string }>(campaignStatement, [name, ttlMs])
      return row && { name, fence: { epoch: BigInt(row.epoch), nonce: row.nonce } }
    },
    async renew(leader, ttlMs) {
      const rows = await database.query(
        `UPDATE ballast_scaler.leader SET expires_at = clock_timestamp() + $3 * interval '1 ms'
         WHERE epoch = $1 AND nonce = $2 RETURNING epoch`,
        [...fenceOf(leader), ttlMs],
      )
      return rows.length > 0
    },
    async resign(leader) {
      await database.query(
        'UPDATE ballast_scaler.leader SET expires_at = clock_timestamp() WHERE epoch = $1 AND nonce = $2',
        fenceOf(leader),
      )
    },
    async current() {
      const [row] = await database.query<{ holder: string; epoch: string; alive: boolean }>(
        'SELECT holder, epoch::text, expires_at > clock_timestamp() AS alive FROM ballast_scaler.leader WHERE epoch > 0',
      )
      return row && { name: row.holder, epoch: BigInt(row.epoch), alive: row.alive }
    },
    async members() {
      const rows = await database.query<MemberRow>(membersStatement)
      return rows.map(({ epoch, last_tick_ms, gap, ...rest }) => ({
        ...rest,
        epoch: BigInt(epoch),
        lastTickMs: last_tick_ms,
        longestGapTicks: gap,
      }))
    },
    async map() {
      const [row] = await database.query<{ version: string; owners: (string | null)[]; targets: (string | null)[] }>(
        `SELECT (SELECT map_version::text FROM ballast_scaler.settings) AS version,
          array_agg(owner ORDER BY slot) AS owners, array_agg(target ORDER BY slot) AS targets FROM ballast_scaler.slots`,
      )
      return { version: BigInt(row?.version ?? 0), owners: names(row?.owners), targets: names(row?.targets) }
    },
    async publish(leader, moves, cause) {
      const [row] = await database.query<{ ok: boolean }>('SELECT ballast_scaler.publish($1, $2, $3, $4, $5) AS ok', [
        ...fenceOf(leader),
        moves.map(({ slot }) => slot),
        moves.map(({ to }) => to),
        cause ?? null,
      ])
      return row?.ok === true ? 'published' : 'stale'
    },
    async takeOver(leader) {
      const [row] = await database.query<{ leads: boolean; taken: number; unowned_ms: number }>(
        'SELECT * FROM ballast_scaler.take_over($1, $2)',
        fenceOf(leader),
      )
      return row?.leads === true ? { slots: row.taken, unownedMs: Math.round(row.unowned_ms) } : 'stale'
    },
    async countRows(leader) {
      const rows = await database.query<{ leads: boolean; slot: number; rows: string }>(
        'SELECT * FROM ballast_scaler.fold_row_counts($1, $2, $3)',
        [...fenceOf(leader), counted?.nonce === leader.fence.nonce],
      )
      if (rows.some((row) => !row.leads)) return 'stale'
      if (counted !== undefined && rows.some(({ slot }) => slot === -2)) return counted.counts
      const counts = new Uint32Array(facts.slots)
      for (const { slot, rows: count } of rows) if (slot >= 0) counts[slot] = Number(count)
      counted = { nonce: leader.fence.nonce, counts }
      return counts
    },
    async estimateRows() {
      const rows = await database.query<{ slot: number; rows: string }>(
        `SELECT slot, sum(rows)::text AS rows FROM (
           SELECT slot, rows FROM ballast_scaler.row_counts UNION ALL SELECT slot, rows FROM ballast_scaler.row_deltas WHERE slot >= 0
         ) AS counted GROUP BY slot HAVING sum(rows) > 0`,
      )
      const counts = new Uint32Array(facts.slots)
      for (const { slot, rows: count } of rows) counts[slot] = Number(count)
      return counts
    },
    async recount(leader, fromSlot, toSlot) {
      const [row] = await database.query<{ leads: boolean; corrected: string; error_rows: string }>(
        'SELECT * FROM ballast_scaler.recount($1, $2, $3, $4)',
        [...fenceOf(leader), fromSlot, toSlot],
      )
      return row?.leads === true ? { corrected: Number(row.corrected), errorRows: Number(row.error_rows) } : 'stale'
    },
    async repairSlots(leader, fromSlot, toSlot) {
      const [row] = await database.query<{ leads: boolean; repaired: string }>(
        'SELECT * FROM ballast_scaler.repair_slots($1, $2, $3, $4)',
        [...fenceOf(leader), fromSlot, toSlot],
      )
      return row?.leads === true ? Number(row.repaired) : 'stale'
    },
    async record(kind, detail) {
      await database.query('INSERT INTO ballast_scaler.events (kind, detail) VALUES ($1, $2)', [
        kind,
        JSON.stringify(detail),
      ])
      await database.query(
        'DELETE FROM ballast_scaler.events WHERE id <= (SELECT max(id) - 1000 FROM ballast_scaler.events)',
      )
    },
    history: (limit) =>
      database.query<HistoryEvent & Record<string, unknown>>(
        `SELECT extract(epoch FROM at)::float8 * 1000 AS "atMs", kind, detail FROM ballast_scaler.events ORDER BY id DESC LIMIT $1`,
        [limit],
      ),
  }
}

const fenceOf = ({ fence }: Leader) => [String(fence.epoch), fence.nonce]

const names = (list: readonly (string | null)[] = []) => list.map((name) => name ?? undefined)
