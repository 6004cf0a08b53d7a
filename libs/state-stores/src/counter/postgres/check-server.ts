import type { Session } from '../../postgres/connections.ts'

export interface ServerFacts {
  /** What an acknowledged write can be lost to. */
  readonly caveat?: string
}

interface Settings {
  version: number
  standby: boolean
  readonly: boolean
  fsync: boolean
  commit: string
  encoding: string
}

/** Rejects with what is wrong with a server that cannot be written to. */
export async function checkServer(session: Session): Promise<ServerFacts> {
  const { rows } = await session.query<Settings>(`SELECT current_setting('server_version_num')::integer AS version,
    pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::boolean AS readonly,
    current_setting('fsync')::boolean AS fsync, current_setting('synchronous_commit') AS commit,
    current_setting('server_encoding') AS encoding`)
  const [settings] = rows
  if (settings === undefined) throw new Error('it does not tell what it is')
  const { version, standby, readonly, fsync, commit } = settings
  if (version < 140_000)
    throw new Error(`it is version ${Math.floor(version / 10_000)}, and 14 or later is needed: upgrade it`)
  if (standby) throw new Error('it is a read-only standby: give the address of its primary, or of all servers')
  if (readonly) throw new Error('it only reads (default_transaction_read_only is on): give one that may be written to')
  if (!fsync)
    return { caveat: 'PostgreSQL runs with fsync off: a crash of its machine can destroy everything; set fsync on' }
  if (commit === 'off') {
    return {
      caveat:
        'PostgreSQL answers before it has synced (synchronous_commit is off): its crash takes answered writes with it; set synchronous_commit on',
    }
  }
  return {}
}
