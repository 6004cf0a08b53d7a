import type { Client } from 'cassandra-driver'
import type { CassandraTarget } from './target.ts'

const format = '1'
const oldestMajor = 4

/**
 * - `blob_entries`: one row per name. `head` and `body` are written together and both begin with the generation; `damaged`
 *   holds the generation that was found damaged.
 * - `blob_chunks`: the bytes of large blobs, by generation. 32 chunks of 256 KiB are a partition: 8 MiB.
 * - `blob_leftovers`: generations that may have no entry (an upload that has begun, a blob whose name went), to be looked
 *   at a day later. Rows come and go, hence the short time for its tombstones.
 */
const tables: Readonly<Record<string, string>> = {
  settings: '(name text PRIMARY KEY, value text)',
  blob_entries: '(namespace text, key text, head blob, body blob, damaged blob, PRIMARY KEY ((namespace, key)))',
  blob_chunks: '(generation blob, part int, n int, body blob, PRIMARY KEY ((generation, part), n))',
  blob_leftovers: `(bucket int, since bigint, generation blob, namespace text, key text,
    PRIMARY KEY (bucket, since, generation)) WITH gc_grace_seconds = 86400`,
}

/** A statement that changes the schema waits until all nodes agree on it. */
const ddlTimeoutMs = 60_000

/** Creates what is missing. Existing tables are left as they are; those of another release are refused. */
export async function ensureSchema(client: Client, target: CassandraTarget): Promise<void> {
  const { keyspace, replication, datacenter, label } = target
  await checkVersion(client, label)
  const ddl = { readTimeout: ddlTimeoutMs }
  const names = async (query: string): Promise<Set<string>> => {
    const { rows } = await client.execute(query, [keyspace], { prepare: true })
    return new Set(rows.map((row) => String(row.get(0))))
  }
  const keyspaces = await names('SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?')
  if (keyspaces.size === 0) {
    if (replication === undefined) {
      throw new Error(`${label}: there is no keyspace "${keyspace}": create it, or have it created with ?replication=3`)
    }
    const copies = `{'class': 'NetworkTopologyStrategy', '${datacenter}': ${replication}}`
    await client.execute(`CREATE KEYSPACE IF NOT EXISTS "${keyspace}" WITH replication = ${copies}`, [], ddl)
  }
  const found = await names('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?')
  if (found.size > 0 && !found.has('settings')) {
    throw new Error(`${label}: the keyspace "${keyspace}" holds tables of something else: name another one`)
  }
  for (const [table, columns] of Object.entries(tables)) {
    if (found.has(table)) continue
    await client.execute(`CREATE TABLE IF NOT EXISTS "${keyspace}".${table} ${columns}`, [], ddl)
  }
  const read = `SELECT value FROM "${keyspace}".settings WHERE name = 'format'`
  const stored: unknown = (await client.execute(read)).first()?.get('value')
  if (stored === undefined) {
    await client.execute(`INSERT INTO "${keyspace}".settings (name, value) VALUES ('format', '${format}')`)
  } else if (stored !== format) {
    throw new Error(`${label}: the keyspace has format ${JSON.stringify(stored)}; this release reads format ${format}`)
  }
  // A role that only reads would be refused at the first blob.
  await client.execute(`INSERT INTO "${keyspace}".settings (name, value) VALUES ('probe', '')`)
}

/** Of the node that is asked; a cluster that is being upgraded has two. */
async function checkVersion(client: Client, label: string): Promise<void> {
  const { rows } = await client.execute('SELECT release_version FROM system.local')
  const version = String(rows[0]?.get('release_version'))
  if (Number.parseInt(version, 10) >= oldestMajor) return
  throw new Error(`${label}: it is version ${version}, and ${oldestMajor}.0 or later is needed: upgrade it`)
}
