import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

export interface TickHistory {
  /** Rows seen with a tick of a worker that had lost their slot more than a second before that tick. */
  readonly staleWrites: number
  /** The longest that any row was seen without a tick. */
  readonly longestUnownedMs: number
  readonly samples: number
}

const sampleStatement = `
SELECT coalesce(max(extract(epoch FROM clock_timestamp()) - item.last_tick - 1), 0)::float8 * 1000 AS unowned_ms,
  count(*) FILTER (WHERE item.currentworker <> slot.owner AND item.last_tick > extract(epoch FROM slot.since) + 1)::integer AS stale
FROM public.work_items item JOIN ballast_scaler.slots slot USING (slot)`

/** Looks at all rows several times a second, from beside; a server that is away is looked for again. */
export function recordTicks(connectionString: string): { stop(): Promise<TickHistory> } {
  const history = { staleWrites: 0, longestUnownedMs: 0, samples: 0 }
  const stopping = new AbortController()
  const { signal } = stopping
  const sample = async (): Promise<void> => {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 5_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      while (!signal.aborted) {
        const { rows } = await client.query<{ unowned_ms: number; stale: number }>(sampleStatement)
        history.samples += 1
        history.longestUnownedMs = Math.max(history.longestUnownedMs, rows[0]?.unowned_ms ?? 0)
        history.staleWrites += rows[0]?.stale ?? 0
        await delay(100)
      }
    } finally {
      await client.end().catch(() => {})
    }
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await sample().catch(() => {})
      await delay(100)
    }
  }
  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
      return history
    },
  }
}
