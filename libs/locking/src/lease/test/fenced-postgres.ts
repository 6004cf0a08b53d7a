import pg from 'pg'
import type { FencedStore } from '../contract.ts'

/** The statement that writes locks the lease's row, so that nobody takes it over before the write is committed. */
const write = `
  WITH lease AS (SELECT key FROM ballast_lease.leases WHERE key = $1 AND epoch = $2 AND nonce = $3 FOR SHARE)
  INSERT INTO ballast_lease.test_data (key, value) SELECT key, $4 FROM lease
  ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING key`

export async function fencedInPostgres(url: string): Promise<FencedStore> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  await pool.query(`SELECT pg_advisory_xact_lock(4711);
    CREATE TABLE IF NOT EXISTS ballast_lease.test_data (key text PRIMARY KEY, value text NOT NULL)`)
  return {
    write: async (key, { epoch, nonce }, value) =>
      (await pool.query(write, [key, epoch, nonce, value])).rows.length === 1,
    async read(key) {
      const { rows } = await pool.query<{ value: string }>('SELECT value FROM ballast_lease.test_data WHERE key = $1', [
        key,
      ])
      return rows[0]?.value
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}
