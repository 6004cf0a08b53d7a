import { NotAppliedError } from '../../outcome.ts'
import { fold, tokenId, type Folded, type TokenLimits, type TokenRecord } from '../fold.ts'
import { outcomeFromText, outcomeToText, toBigint } from '../outcome-text.ts'
import type { Counter, CounterName, CounterOp } from '../port.ts'
import type { Session } from '../../postgres/connections.ts'

export interface TransactionOptions {
  readonly schema: string
  /** Whose tokens these are in the tally; one per store that is open. */
  readonly writer: string
  readonly limits: TokenLimits
  /** Instead of the database's clock, for tests. */
  readonly nowMs: number | undefined
}

/** Versions in a block of the sequence. */
const block = 1024n
/** The tally has this many rows per window and writer: a token counts up to a 60th of the window longer than it is kept. */
const tallyParts = 60

/** Another transaction got between ours and its rows, which nothing is lost by beginning anew. */
export class InterferenceError extends Error {}

export interface Loaded extends Folded {
  readonly nowMs: number
}

/**
 * Everything of a batch but COMMIT. Rows are locked in the order of their names, so two transactions never wait for each
 * other; what is read is read after the locks are held. Rejects with `InterferenceError` when it has to begin anew.
 */
export async function applyBatch(
  session: Session,
  batchId: string,
  ops: readonly CounterOp[],
  options: TransactionOptions,
): Promise<Loaded> {
  const { schema } = options
  const names = [...new Set(ops.map(({ name }) => name))].toSorted()
  await session.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await session.query(`INSERT INTO ${schema}.counters (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`, [names])
  const counters = await lockCounters(session, names, schema)
  const state = await readState(session, counters, ops, options)
  const { nowMs } = state
  const folded = fold(state, ops, nowMs, options.limits)
  await raiseVersions(session, state.lastVersion, folded.lastVersion, ops.length, schema)
  await write(session, batchId, folded, nowMs, options)
  return { ...folded, nowMs }
}

interface CounterRow {
  name: string
  value: string | null
  version: string
  expires_at_ms: string | null
}

async function lockCounters(
  session: Session,
  names: readonly string[],
  schema: string,
): Promise<Map<CounterName, Counter>> {
  const { rows } = await session.query<CounterRow>(
    `SELECT name, value, version, expires_at_ms FROM ${schema}.counters WHERE name = ANY($1) ORDER BY name FOR UPDATE`,
    [names],
  )
  // A row that was swept between our two statements.
  if (rows.length < names.length) throw new InterferenceError('a row is gone')
  return new Map(rows.map(toCounter).flatMap((counter) => (counter === undefined ? [] : [[counter.name, counter]])))
}

export function toCounter({ name, value, version, expires_at_ms }: CounterRow): Counter | undefined {
  if (value === null) return undefined
  return {
    name,
    value: toBigint(value),
    version: toBigint(version),
    ...(expires_at_ms !== null && { expiresAtMs: Number(expires_at_ms) }),
  }
}

export const clockMs = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

async function readState(
  session: Session,
  counters: Map<CounterName, Counter>,
  ops: readonly CounterOp[],
  { schema, nowMs }: TransactionOptions,
) {
  const names = new Map(
    ops.flatMap(({ name, token }) => (token === undefined ? [] : [[tokenId(token), name] as const])),
  )
  const blocks = Math.ceil(ops.length / Number(block))
  const { rows } = await session.query<{ now: string; live: string; first: string; last: string }>(
    `SELECT now.ms AS now, min(v) AS first, max(v) AS last,
      (SELECT coalesce(sum(tokens), 0) FROM ${schema}.token_tally WHERE expires_at_ms > now.ms) AS live
    FROM (SELECT coalesce($1::bigint, ${clockMs}) AS ms) AS now,
      (SELECT nextval('${schema}.versions') AS v FROM generate_series(1, $2)) AS taken
    GROUP BY now.ms`,
    [nowMs ?? null, blocks],
  )
  const [facts] = rows
  if (facts === undefined) throw new TypeError('the database does not tell the time')
  const lastVersion = toBigint(facts.first)
  if (toBigint(facts.last) !== lastVersion + block * BigInt(blocks - 1))
    throw new InterferenceError('the versions are not in a row')
  const tokens = names.size === 0 ? new Map<string, TokenRecord>() : await readTokens(session, names, schema)
  return { counters, tokens, lastVersion, liveTokens: Number(facts.live), nowMs: Number(facts.now) }
}

async function readTokens(
  session: Session,
  names: ReadonlyMap<string, CounterName>,
  schema: string,
): Promise<Map<string, TokenRecord>> {
  const { rows } = await session.query<{ id: string; fingerprint: string; expires_at_ms: string; outcome: string }>(
    `SELECT id, fingerprint, expires_at_ms, outcome FROM ${schema}.tokens WHERE id = ANY($1)`,
    [[...names.keys()]],
  )
  return new Map(
    rows.map(({ id, fingerprint, expires_at_ms, outcome }) => [
      id,
      {
        fingerprint,
        expiresAtMs: Number(expires_at_ms),
        outcome: outcomeFromText(outcome, names.get(id) ?? '', false),
      },
    ]),
  )
}

/** Later commits go on behind versions that an operation asked to be above; a sequence never goes back with a transaction. */
async function raiseVersions(
  session: Session,
  first: bigint,
  last: bigint,
  operations: number,
  schema: string,
): Promise<void> {
  if (last - first <= BigInt(operations)) return
  await session.query(
    `SELECT setval('${schema}.versions', $1::bigint) FROM ${schema}.versions WHERE last_value < $1::bigint`,
    [last],
  )
}

async function write(
  session: Session,
  batchId: string,
  folded: Folded,
  nowMs: number,
  options: TransactionOptions,
): Promise<void> {
  const { schema, writer, limits } = options
  const counters = [...folded.counters]
  if (counters.length > 0) {
    await session.query(
      `UPDATE ${schema}.counters AS c SET value = n.value, version = coalesce(n.version, c.version), expires_at_ms = n.expiry
      FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (name, value, version, expiry) WHERE c.name = n.name`,
      [
        counters.map(([name]) => name),
        counters.map(([, counter]) => counter?.value ?? null),
        counters.map(([, counter]) => counter?.version ?? null),
        counters.map(([, counter]) => counter?.expiresAtMs ?? null),
      ],
    )
  }
  // In the order of their keys, so that two batches with the same ones do not wait for each other.
  const tokens = [...folded.tokens].toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (tokens.length > 0) {
    const partMs = limits.tokenWindowMs / tallyParts
    const tallied = Math.ceil(Math.ceil((nowMs + limits.tokenWindowMs) / partMs) * partMs)
    const { rowCount } = await session.query(
      `WITH tally AS (
        INSERT INTO ${schema}.token_tally AS t VALUES ($6, $7, $8) ON CONFLICT (writer, expires_at_ms) DO UPDATE SET tokens = t.tokens + $8
      )
      INSERT INTO ${schema}.tokens AS t SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
      ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, expires_at_ms = excluded.expires_at_ms, outcome = excluded.outcome
      WHERE t.expires_at_ms <= $5`,
      [
        tokens.map(([id]) => id),
        tokens.map(([, { fingerprint }]) => fingerprint),
        tokens.map(([, { expiresAtMs }]) => expiresAtMs),
        tokens.map(([, { outcome }]) => outcomeToText(outcome)),
        nowMs,
        writer,
        tallied,
        tokens.length,
      ],
    )
    // The same token of another counter, committed while we waited for its row.
    if (rowCount !== tokens.length) throw new InterferenceError('a token was used meanwhile')
  }
  const { rows } = await session.query<{ written: boolean }>(
    // No time-out for COMMIT: one that strikes while it waits for a synchronous stand-by makes it a success without one.
    `WITH written AS (
      INSERT INTO ${schema}.batches (id, voided, at_ms) VALUES ($1, false, ${clockMs}) ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT EXISTS (SELECT FROM written) AS written, set_config('statement_timeout', '0', true)`,
    [batchId],
  )
  if (rows[0]?.written !== true) throw new NotAppliedError('the batch was given up')
}

/**
 * Whether a batch was committed; from then on it never will be if it was not, as its row is taken. Waits for a transaction
 * that is about to commit it. It writes in either case, so that its own commit waits for what the batch's waited for.
 */
export async function resolveBatch(session: Session, batchId: string, schema: string): Promise<'applied' | 'void'> {
  const { rows } = await session.query<{ voided: boolean }>(
    `INSERT INTO ${schema}.batches (id, voided, at_ms) VALUES ($1, true, ${clockMs})
    ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms RETURNING voided`,
    [batchId],
  )
  return rows[0]?.voided === false ? 'applied' : 'void'
}
