import type { ScannedEntry, ScanPage } from '../port.ts'
import { toEntry } from './entries.ts'
import type { CassandraSession } from './session.ts'

const columns = 'namespace, key, head, damaged, writetime(head) AS written'

/**
 * In the order of Cassandra's tokens, which is stable. It reads the heads of all entries of the keyspace, those of
 * other namespaces too: a partition per namespace would grow without bound.
 */
export async function scanEntries(
  session: CassandraSession,
  namespace: string,
  after: string | undefined,
  limit: number,
): Promise<ScanPage> {
  const behind = after === undefined ? '' : ' WHERE token(namespace, key) > token(?, ?)'
  const values = after === undefined ? [] : [namespace, after]
  const entries: ScannedEntry[] = []
  let state: string | undefined
  do {
    const page = await session.page(
      `SELECT ${columns} FROM blob_entries${behind}`,
      values,
      Math.max(100, limit + 1),
      state,
    )
    for (const row of page.rows) {
      const entry = row.get('namespace') === namespace ? toEntry(row) : undefined
      if (entry === undefined) continue
      const last = entries.at(-1)
      if (entries.length === limit && last !== undefined) return { entries, next: last.key }
      entries.push({ key: String(row.get('key')), digest: entry.digest, sizeBytes: entry.sizeBytes })
    }
    state = page.next
  } while (state !== undefined)
  return { entries }
}
