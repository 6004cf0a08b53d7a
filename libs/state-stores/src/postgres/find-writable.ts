import pg from 'pg'
import { messageOf } from '../message-of.ts'
import type { PostgresServers } from './servers.ts'

/** A server that cannot be asked within this time is not the primary for now. */
const longestProbeMs = 2_000

export interface Writable {
  readonly url: string
  /** Grows by one with each promotion; 0 when nobody was asked, as there is only one server. */
  readonly timeline: number
}

/**
 * The server that takes writes. An old primary that was started again takes them too, on a timeline that its successor
 * has left: the latest one counts, and none before `leastTimeline`. Rejects with the end of a sentence when there is none.
 */
export async function findWritable(
  { urls, names }: PostgresServers,
  timeoutMs: number,
  leastTimeline: number,
): Promise<Writable> {
  const [only] = urls
  if (only !== undefined && urls.length === 1) return { url: only, timeline: 0 }
  const answers = await Promise.allSettled(urls.map((url) => ask(url, Math.min(timeoutMs, longestProbeMs))))
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const [first, second] = found
    .filter(({ timeline }) => timeline > 0 && timeline >= leastTimeline)
    .toSorted((a, b) => b.timeline - a.timeline)
  if (first !== undefined && first.timeline === second?.timeline) {
    throw new Error(`two of them take writes on timeline ${first.timeline}: stop the one that is not the primary`)
  }
  if (first !== undefined) return first
  const troubles = answers.map((answer, index) => {
    if (answer.status === 'rejected') return `${names[index]}: ${messageOf(answer.reason)}`
    const isOld = answer.value.timeline > 0
    return `${names[index]} is ${isOld ? 'an old primary, which has a successor' : 'a read-only standby'}`
  })
  throw new Error(`none of them is a primary (${troubles.join('; ')})`)
}

async function ask(url: string, timeoutMs: number): Promise<Writable> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ballast-lookup',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    // The first eight digits of a file of the log are its timeline, in hexadecimal.
    const { rows } = await client.query<{ timeline: string | null }>(
      `SELECT CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`,
    )
    return { url, timeline: Number.parseInt(rows[0]?.timeline ?? '0', 16) }
  } finally {
    // Nobody waits for a server that does not answer.
    client.end().catch(() => {})
  }
}
