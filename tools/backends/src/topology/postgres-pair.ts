import pg from 'pg'
import type { Durability, RunningBackend } from '../backend.ts'
import { startBackend } from '../start.ts'
import { untilReady } from '../until-ready.ts'

export interface PostgresPairOptions {
  /**
   * A commit is answered once it is on the standby's disk too (`synchronous_standby_names = '*'`), and waits as long as
   * there is no standby.
   */
  readonly synchronous: boolean
  readonly durability?: Durability
}

export interface PostgresPair extends AsyncDisposable {
  readonly primary: RunningBackend
  readonly standby: RunningBackend
  /** Both, as libpq writes it: `postgres://user:password@host:port,host:port/ballast?target_session_attrs=read-write`. */
  readonly url: string
  /**
   * Makes the standby a primary on a timeline of its own, whether the old primary runs or not, and resolves once it takes
   * writes. The old one is left as it is: nobody tells it.
   */
  promote(): Promise<void>
}

/** A real primary and a real standby that streams from it. */
export async function startPostgresPair(options: PostgresPairOptions): Promise<PostgresPair> {
  const { synchronous, durability = 'disk' } = options
  await using started = new AsyncDisposableStack()
  const primary = started.use(await startBackend('postgres', { durability, asProcess: true }))
  const standby = started.use(await startBackend('postgres', { durability, replicaOf: primary.url }))
  if (synchronous) {
    // Not before there is one; and in the primary's own file, so that it holds when it is started again.
    await query(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '*'`)
    await query(primary.url, 'SELECT pg_reload_conf()')
  }
  await untilReady(async () => {
    const [row] = await query(primary.url, 'SELECT state, sync_state FROM pg_stat_replication')
    const inStep = row?.['state'] === 'streaming' && row['sync_state'] === (synchronous ? 'sync' : 'async')
    if (!inStep) throw new Error('the standby does not follow yet')
  })
  const running = started.move()
  const both = new URL(primary.url)
  const hosts = [primary, standby].map(({ url }) => new URL(url).host).join(',')
  return {
    primary,
    standby,
    url: `postgres://${both.username}:${both.password}@${hosts}${both.pathname}?target_session_attrs=read-write`,
    async promote() {
      const [row] = await query(standby.url, 'SELECT pg_promote(true, 60) AS promoted')
      if (row?.['promoted'] !== true) throw new Error('the standby was not promoted within 60 s')
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
