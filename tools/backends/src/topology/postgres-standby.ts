import { existsSync } from 'node:fs'
import { chown, copyFile, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pg from 'pg'
import { postgresAccount, type Account } from '../postgres/account.ts'
import { postgresBinaries } from '../postgres/binaries.ts'
import type { Cluster } from '../postgres/cluster.ts'

/** Of the primary's own state, or made anew by the standby (PostgreSQL, "Making a Base Backup Using the Low Level API"). */
const leftOut = new Set(['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf', 'pg_internal.init'])
const leftEmpty = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
])

/**
 * The folder of a standby that follows `primaryUrl` by streaming: a base backup that is taken by hand, since the packaged
 * programs are only initdb and postgres. The primary keeps what the standby has not got in a slot of its own.
 */
export async function prepareStandby(folder: string, primaryUrl: string): Promise<Cluster> {
  const { postgres } = postgresBinaries()
  const path = await realpath(folder)
  const account = postgresAccount([path, postgres])
  await own(account, path)
  const data = join(path, 'cluster')
  if (!existsSync(data)) await takeBackup({ primaryUrl, data, account })
  return { folder: path, data, account, password: decodeURIComponent(new URL(primaryUrl).password), postgres }
}

interface Backup {
  readonly primaryUrl: string
  readonly data: string
  readonly account: Account
}

async function takeBackup({ primaryUrl, data, account }: Backup): Promise<void> {
  const draft = `${data}.copying`
  await rm(draft, { recursive: true, force: true })
  const client = new pg.Client({ connectionString: primaryUrl })
  client.on('error', () => {})
  await client.connect()
  try {
    const slot = `standby_${process.pid}`
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot])
    // The session must last until the end of the backup.
    await client.query('SELECT pg_backup_start($1, true)', [slot])
    const { rows: folders } = await client.query<{ data_directory: string }>('SHOW data_directory')
    await copyFolder(folders[0]?.data_directory ?? '', draft, account)
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    const files = {
      // Without it the standby would begin at the wrong place of the log, and be damaged.
      backup_label: rows[0]?.labelfile ?? '',
      'standby.signal': '',
      'postgresql.auto.conf': `primary_conninfo = '${connectionInfo(primaryUrl)}'\nprimary_slot_name = '${slot}'\n`,
    }
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(draft, name), content, { mode: 0o600 })
      await own(account, join(draft, name))
    }
  } finally {
    await client.end()
  }
  await rename(draft, data)
}

/** Files come and go meanwhile; the log makes good what was copied while it was written. */
async function copyFolder(from: string, to: string, account: Account): Promise<void> {
  await mkdir(to, { mode: 0o700 })
  await own(account, to)
  if (leftEmpty.has(basename(to))) {
    if (basename(to) === 'pg_wal') await copyFolder(join(from, 'archive_status'), join(to, 'archive_status'), account)
    return
  }
  for (const entry of await readdir(from, { withFileTypes: true }).catch(ignoreGone([]))) {
    if (leftOut.has(entry.name) || entry.name.startsWith('pgsql_tmp')) continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) {
      await copyFolder(source, target, account)
    } else if (await copyFile(source, target).then(() => true, ignoreGone(false))) {
      await own(account, target)
    }
  }
}

function ignoreGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return instead
    throw error
  }
}

async function own({ uid, gid }: Account, path: string): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

/** Passwords here are random base64url, or letters, digits, - and _: nothing to quote. */
function connectionInfo(url: string): string {
  const { hostname, port, username, password } = new URL(url)
  return `host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)} application_name=standby`
}
