import type { Session } from '../../postgres/connections.ts'
import { createOrAdoptTable } from './adopt-table.ts'
import type { Database } from './connection.ts'
import { ownership } from './migrations/0001-ownership.ts'
import { rowCounts } from './migrations/0002-row-counts.ts'
import { born } from './migrations/0003-born.ts'
import { operations } from './migrations/0004-operations.ts'
import { plainSlot } from './migrations/0005-plain-slot.ts'
import { oddTicks } from './migrations/0006-odd-ticks.ts'

type Migration = (client: Session, slots: number) => Promise<void>

/** Forward only, in this order, never edited once released. A program runs on any later schema as well: a roll-out mixes both. */
const migrations: readonly Migration[] = [
  async (client, slots) => {
    await createOrAdoptTable(client, slots)
    await client.query(ownership)
    await client.query('INSERT INTO ballast_scaler.settings (slots) VALUES ($1)', [slots])
    await client.query('INSERT INTO ballast_scaler.slots (slot) SELECT generate_series(0, $1::integer - 1)', [slots])
  },
  async (client) => {
    await client.query(rowCounts)
    await client.query(`INSERT INTO ballast_scaler.row_counts
      SELECT s.slot, (SELECT count(*) FROM public.work_items i WHERE i.slot = s.slot) FROM ballast_scaler.slots s`)
  },
  async (client) => void (await client.query(born)),
  async (client) => void (await client.query(operations)),
  async (client) => {
    // The number of slots is the one that the tables were made with, whoever migrates them.
    const { rows } = await client.query<{ slots: number }>('SELECT slots FROM ballast_scaler.settings')
    if (rows[0] === undefined) throw settingsAreEmpty()
    await client.query(plainSlot(rows[0].slots))
  },
  async (client) => void (await client.query(oddTicks)),
]

/** An arbitrary key for the advisory lock under which one process at a time migrates. */
const migrationLock = 5_824_761_903

/** All of it in one transaction: either the store is ready afterwards, or nothing was changed. */
export async function migrate(database: Database, slots: number): Promise<void> {
  if ((await versionOf(database)) >= migrations.length) return
  await database.session(async (client) => {
    try {
      await client.query('BEGIN')
      await client.query(
        `SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '60s'`,
      )
      await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock])
      await client.query('CREATE SCHEMA IF NOT EXISTS ballast_scaler')
      await client.query(
        'CREATE TABLE IF NOT EXISTS ballast_scaler.migrations (version integer PRIMARY KEY, at timestamptz DEFAULT now())',
      )
      const { rows } = await client.query<{ version: number | null }>(
        'SELECT max(version) AS version FROM ballast_scaler.migrations',
      )
      for (const [index, migration] of migrations.entries()) {
        if (index < (rows[0]?.version ?? 0)) continue
        await migration(client, slots)
        await client.query('INSERT INTO ballast_scaler.migrations (version) VALUES ($1)', [index + 1])
      }
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  })
}

async function versionOf(database: Database): Promise<number> {
  const [found] = await database.query<{ there: boolean }>(
    `SELECT to_regclass('ballast_scaler.migrations') IS NOT NULL AS there`,
  )
  if (found?.there !== true) return 0
  const [row] = await database.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM ballast_scaler.migrations',
  )
  return row?.version ?? 0
}

export interface ServerFacts {
  /** PostgreSQL 18 and later return the old row of an UPDATE, which tells late ticks. */
  readonly returnsOldRows: boolean
  readonly valueType: 'integer' | 'bigint'
  readonly slots: number
}

interface ServerRow {
  readonly version: number
  readonly standby: boolean
  readonly readonly: boolean
  readonly missing: string | null
}

async function ask(database: Database): Promise<ServerRow> {
  const [server] = await database.query<ServerRow>(
    `SELECT current_setting('server_version_num')::integer AS version,
      pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS readonly,
      (SELECT string_agg(name, ', ') FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL) AS missing`,
    [['public.work_items', 'ballast_scaler.settings', 'ballast_scaler.slots', 'ballast_scaler.leases']],
  )
  if (server === undefined) throw new Error('it does not tell what it is')
  const { version, standby, readonly } = server
  if (version < 140_000)
    throw new Error(`it is version ${Math.floor(version / 10_000)}, and 14 or later is needed: upgrade it`)
  if (standby) throw new Error('it is a read-only standby: give the URL of its primary, or of all servers')
  if (readonly) throw new Error('it only reads (default_transaction_read_only is on): give one that may be written to')
  return server
}

/** Refuses a server on which the promises cannot be kept. @throws Error one sentence. */
export async function checkServer(database: Database): Promise<number> {
  return (await ask(database)).version
}

/** The same, and one whose tables are gone. Cost: one statement. @throws Error one sentence. */
export async function checkTables(database: Database): Promise<void> {
  const { missing } = await ask(database)
  if (missing !== null) throw new Error(`it has lost ${missing}: restore a backup, or start again to make them anew`)
}

export async function readFacts(database: Database, version: number): Promise<ServerFacts> {
  const [facts] = await database.query<{ slots: number; type: string }>(`SELECT slots, (
      SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'public.work_items'::regclass AND attname = 'value'
    ) AS type FROM ballast_scaler.settings`)
  if (facts === undefined) throw settingsAreEmpty()
  return {
    returnsOldRows: version >= 180_000,
    valueType: facts.type === 'bigint' ? 'bigint' : 'integer',
    slots: facts.slots,
  }
}

function settingsAreEmpty(): Error {
  return new Error('ballast_scaler.settings is empty; restore it from a backup')
}
