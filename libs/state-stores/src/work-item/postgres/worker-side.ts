import type { Heartbeat, Refused, TickOutcome, WorkerIdentity, WorkerLease, WorkerSide } from '../port.ts'
import { sqlState } from '../../postgres/outcome.ts'
import type { Database } from './connection.ts'
import type { ServerFacts } from './migrate.ts'
import { tickStatement, type TickRow } from './tick.ts'

interface LeaseRow {
  readonly incarnation: string
  readonly epoch: string
  readonly nonce: string
  readonly slots: number[]
}

const heartbeatStatement = `
WITH beat AS (
  UPDATE ballast_scaler.workers SET expires_at = clock_timestamp() + $3 * interval '1 ms', rows = $4,
    last_tick_at = greatest(last_tick_at, to_timestamp(nullif($5::float8, 0) / 1000)), longest_gap_ticks = greatest(longest_gap_ticks, $6)
  WHERE name = $1 AND incarnation = $2 RETURNING draining
)
SELECT draining, (SELECT count(*)::integer FROM ballast_scaler.workers w
    WHERE w.name <> $1 AND NOT w.draining AND NOT w.away AND w.expires_at > clock_timestamp()) AS others,
  (SELECT paused_tick IS NOT NULL FROM ballast_scaler.settings) AS paused FROM beat`

const watchedStatement = `
SELECT count(*)::integer AS rows, coalesce(bit_xor(uuid_hash_extended(id, 0)), 0)::text AS fingerprint,
  CASE WHEN count(*) <= $2 THEN array_agg(id::text ORDER BY id) END AS ids
FROM public.work_items WHERE slot = ANY ($1::integer[])`

const lockNotAvailable = '55P03'

export function workerSide(database: Database, facts: ServerFacts): WorkerSide {
  const waiting = tickStatement(facts, 'wait-for-locks')
  const skipping = tickStatement(facts, 'skip-locked')

  const current = async ({ name, incarnation }: WorkerIdentity): Promise<Refused> => {
    const [row] = await database.query<LeaseRow>('SELECT * FROM ballast_scaler.leases WHERE worker = $1', [name])
    if (row === undefined || row.incarnation !== incarnation) return { kind: 'superseded' }
    return { kind: 'fenced', lease: leaseOf({ name, incarnation }, row) }
  }

  /** A user's transaction that holds one row must not cost the others their tick: after the lock time-out they are ticked around it. */
  const tickRows = async (values: readonly unknown[]): Promise<TickRow | undefined> => {
    try {
      return (await database.query<TickRow>(waiting, values))[0]
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable) throw error
      return (await database.query<TickRow>(skipping, values))[0]
    }
  }

  return {
    async register({ name, incarnation }, { weight, ttlMs, zone = '' }) {
      const [row] = await database.query<LeaseRow>('SELECT * FROM ballast_scaler.register($1, $2, $3, $4, $5)', [
        name,
        incarnation,
        weight,
        ttlMs,
        zone,
      ])
      if (row === undefined) throw new Error(`${name} could not register`)
      return leaseOf({ name, incarnation }, row)
    },

    async heartbeat({ name, incarnation }, { ttlMs, rows, lastTickMs, longestGapTicks }): Promise<Heartbeat> {
      const [beat] = await database.query<{ draining: boolean; others: number; paused: boolean }>(heartbeatStatement, [
        name,
        incarnation,
        ttlMs,
        rows,
        lastTickMs,
        longestGapTicks,
      ])
      return beat === undefined
        ? { kind: 'superseded' }
        : { kind: 'alive', draining: beat.draining, otherTakers: beat.others, paused: beat.paused }
    },

    async tick(lease, clock): Promise<TickOutcome> {
      const { name, incarnation, fence } = lease
      const expectedNowMs = clock?.expectedNowMs ?? null
      const fenced = [name, incarnation, String(fence.epoch), fence.nonce]
      const row = await tickRows([...fenced, expectedNowMs, clock?.clockToleranceMs ?? 0])
      if (row === undefined || row.leases === 0) return current(lease)
      if (row.tick === null) return { kind: 'clock-jump', nowMs: row.now_ms ?? 0, expectedNowMs: expectedNowMs ?? 0 }
      return {
        kind: 'ticked',
        tick: BigInt(row.tick),
        nowMs: row.now_ms ?? 0,
        rows: row.rows,
        saturated: row.saturated,
        caughtUp: facts.returnsOldRows ? (row.caught_up ?? 0) : undefined,
        longestGapTicks: facts.returnsOldRows ? (row.longest_gap ?? 0) : undefined,
        fingerprint: row.fingerprint,
        toHandOver: row.to_hand_over,
      }
    },

    async handOver(lease) {
      const { name, incarnation, fence } = lease
      const values = [name, incarnation, String(fence.epoch), fence.nonce]
      const [row] = await database.query<LeaseRow & { handed: number }>(
        'SELECT $2 AS incarnation, * FROM ballast_scaler.hand_over($1, $2::uuid, $3, $4)',
        values,
      )
      if (row === undefined) return current(lease)
      return { kind: 'handed-over', lease: leaseOf(lease, row), slots: row.handed }
    },

    async watched({ slots }, limit) {
      const [row] = await database.query<{ rows: number; fingerprint: string; ids: string[] | null }>(
        watchedStatement,
        [slots, limit],
      )
      return {
        rows: row?.rows ?? 0,
        ids: row?.ids ?? (row?.rows === 0 ? [] : undefined),
        fingerprint: row?.fingerprint ?? '0',
      }
    },

    async drain({ name, incarnation = null }) {
      const rows = await database.query(
        `UPDATE ballast_scaler.workers SET draining = true
         WHERE name = $1 AND ($2::uuid IS NULL OR incarnation = $2) AND expires_at > clock_timestamp() RETURNING name`,
        [name, incarnation],
      )
      return rows.length > 0
    },

    async leave({ name, incarnation }, { restartWithinMs } = { restartWithinMs: 0 }) {
      await database.query(
        `UPDATE ballast_scaler.workers SET away = $3 > 0 AND NOT draining,
           expires_at = clock_timestamp() + CASE WHEN draining THEN 0 ELSE $3::float8 END * interval '1 ms'
         WHERE name = $1 AND incarnation = $2`,
        [name, incarnation, restartWithinMs],
      )
    },
  }
}

function leaseOf({ name, incarnation }: WorkerIdentity, { epoch, nonce, slots }: LeaseRow): WorkerLease {
  return { name, incarnation, fence: { epoch: BigInt(epoch), nonce }, slots }
}
