import pg from 'pg'
import { LeaseStoreError, type Fence, type LeaseCall, type LeaseClaim, type LeaseStore, type Taken } from './port.ts'
import { within } from './within.ts'

/**
 * A row per key, judged by the database's time. `postgres://user:password@host:port/database[?schema=ballast_lease]` and
 * libpq's `sslmode`, `sslrootcert`. Each call is one statement in a transaction of its own: a stopped process holds no row
 * lock, and a pooler in transaction mode does no harm. Works at any default isolation; at a stricter one, contention is
 * an error.
 *
 * After a fail-over to a stand-by that lags, an epoch may come again; the nonces do not.
 */
export class PostgresLeaseStore implements LeaseStore {
  readonly name: string
  readonly #pool: pg.Pool
  readonly #table: string

  private constructor(pool: pg.Pool, name: string, table: string) {
    this.#pool = pool
    this.name = name
    this.#table = table
  }

  /** Creates schema and table if they are missing; needs no right to do so if they are there. */
  static async open(url: string, { timeoutMs = 5_000 }: { timeoutMs?: number } = {}): Promise<PostgresLeaseStore> {
    const { connectionString, schema, name } = parse(url)
    const pool = new pg.Pool({
      connectionString,
      application_name: 'ballast-lease',
      max: 3,
      connectionTimeoutMillis: timeoutMs,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      statement_timeout: timeoutMs,
      lock_timeout: timeoutMs,
      query_timeout: timeoutMs,
      idle_in_transaction_session_timeout: timeoutMs,
    })
    // A connection that breaks is replaced by the next call, and rejects the one it has broken under.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    const table = `"${schema}".leases`
    const store = new PostgresLeaseStore(pool, name, table)
    try {
      const { rows } = await pool.query<{ found: string | null }>('SELECT to_regclass($1) AS found', [table])
      // One transaction; two of them at once would fail in the catalogue without the lock.
      if (rows[0]?.found == null) await pool.query(migration(schema))
      return store
    } catch (error) {
      await pool.end()
      throw new LeaseStoreError(`${name} cannot keep leases: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async take(key: string, { nonce, holder, ttlMs, timeoutMs }: LeaseClaim): Promise<Taken> {
    // clock_timestamp() after ON CONFLICT is read when the row is locked, so a wait for it counts as passed.
    const granted = await this.#query<{ epoch: string }>(
      `INSERT INTO ${this.#table} AS lease (key, epoch, nonce, holder, expires_at)
       VALUES ($1, 1, $2, $3, clock_timestamp() + $4 * interval '1 ms')
       ON CONFLICT (key) DO UPDATE SET
         epoch = CASE WHEN lease.nonce = $2 THEN lease.epoch ELSE lease.epoch + 1 END,
         nonce = $2, holder = $3,
         expires_at = CASE WHEN lease.nonce = $2 THEN greatest(lease.expires_at, clock_timestamp() + $4 * interval '1 ms')
                           ELSE clock_timestamp() + $4 * interval '1 ms' END
       WHERE lease.nonce IN ('', $2) OR lease.expires_at <= clock_timestamp()
       RETURNING epoch`,
      [key, nonce, holder, ttlMs],
      timeoutMs,
    )
    if (granted[0] !== undefined) return { taken: true, epoch: BigInt(granted[0].epoch) }
    const [held] = await this.#query<{ holder: string; left: number }>(
      `SELECT holder, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS left
       FROM ${this.#table} WHERE key = $1 AND nonce <> ''`,
      [key],
      timeoutMs,
    )
    return { taken: false, holder: held?.holder ?? '', freeInMs: Math.max(0, held?.left ?? 0) }
  }

  async renew(key: string, { epoch, nonce }: Fence, { ttlMs, timeoutMs }: LeaseCall): Promise<boolean> {
    const renewed = await this.#query(
      `UPDATE ${this.#table} SET expires_at = greatest(expires_at, clock_timestamp() + $4 * interval '1 ms')
       WHERE key = $1 AND epoch = $2 AND nonce = $3 RETURNING key`,
      [key, epoch, nonce, ttlMs],
      timeoutMs,
    )
    return renewed.length > 0
  }

  async release(key: string, nonce: string, { timeoutMs }: Pick<LeaseCall, 'timeoutMs'>): Promise<boolean> {
    const released = await this.#query(
      `UPDATE ${this.#table} SET nonce = '', expires_at = '-infinity' WHERE key = $1 AND nonce = $2 RETURNING key`,
      [key, nonce],
      timeoutMs,
    )
    return released.length > 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[], timeoutMs: number): Promise<Row[]> {
    try {
      // The pool does not keep a connection on which anything failed: it may still be busy with the statement.
      const query = { text, values, query_timeout: Math.ceil(timeoutMs) }
      // Waiting for a connection is not covered by query_timeout.
      return (await within(this.#pool.query<Row>(query), timeoutMs)).rows
    } catch (error) {
      throw new LeaseStoreError(`${this.name} did not do it: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}

const migration = (schema: string): string => `
  SELECT pg_advisory_xact_lock(hashtext('ballast leases'));
  CREATE SCHEMA IF NOT EXISTS "${schema}";
  CREATE TABLE IF NOT EXISTS "${schema}".leases (
    key text PRIMARY KEY,
    epoch bigint NOT NULL,
    nonce text NOT NULL,
    holder text NOT NULL,
    expires_at timestamptz NOT NULL
  ) WITH (fillfactor = 50)`

function parse(text: string): { connectionString: string; schema: string; name: string } {
  if (!URL.canParse(text) || !/^postgres(ql)?:/.test(text) || new URL(text).pathname.length < 2) {
    throw new LeaseStoreError('the PostgreSQL URL cannot be read: write postgres://user:password@host:port/database')
  }
  const url = new URL(text)
  const schema = url.searchParams.get('schema') ?? 'ballast_lease'
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new LeaseStoreError('the PostgreSQL URL has a schema that is not up to 63 of a-z 0-9 _')
  }
  url.searchParams.delete('schema')
  return {
    connectionString: url.href,
    schema,
    name: `PostgreSQL at ${url.hostname}:${url.port || '5432'}`,
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
