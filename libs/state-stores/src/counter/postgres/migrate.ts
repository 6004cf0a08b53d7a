import type { Session } from '../../postgres/connections.ts'
import { counters } from './migrations/0001-counters.ts'

/** Forward only, in this order, never edited once released. */
const migrations: readonly ((schema: string) => string)[] = [counters]

/** What this release writes. */
export const schemaVersion = migrations.length

/** An arbitrary key for the advisory lock under which one process at a time migrates. */
const migrationLock = 4_391_072_655

/**
 * Makes the schema, or brings it up to this release, in one transaction. Rejects with a sentence on a schema of a later
 * release, and changes nothing then.
 */
export async function migrate(session: Session, schema: string): Promise<void> {
  const before = await versionOf(session, schema)
  if (before > schemaVersion) throw laterRelease(schema, before)
  if (before === schemaVersion) return
  await session.query('BEGIN')
  try {
    await session.query(`SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'`)
    await session.query('SELECT pg_advisory_xact_lock($1)', [migrationLock])
    const found = await versionOf(session, schema)
    if (found > schemaVersion) throw laterRelease(schema, found)
    await session.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await session.query(
      `CREATE TABLE IF NOT EXISTS ${schema}.migrations (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())`,
    )
    for (const [index, migration] of migrations.entries()) {
      if (index < found) continue
      await session.query(migration(schema))
      await session.query(`INSERT INTO ${schema}.migrations (version) VALUES ($1)`, [index + 1])
    }
    await session.query('COMMIT')
  } catch (error) {
    await session.query('ROLLBACK').catch(() => {})
    throw error
  }
}

const laterRelease = (schema: string, version: number): Error =>
  new Error(
    `its schema ${schema} has version ${version}, and this release knows ${schemaVersion}: upgrade this service, or give another ?schema=`,
  )

async function versionOf(session: Session, schema: string): Promise<number> {
  const { rows } = await session.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    `${schema}.migrations`,
  ])
  if (rows[0]?.found !== true) return 0
  const versions = await session.query<{ version: number | null }>(
    `SELECT max(version) AS version FROM ${schema}.migrations`,
  )
  return versions.rows[0]?.version ?? 0
}
