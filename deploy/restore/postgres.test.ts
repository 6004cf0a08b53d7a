import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startEmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp, type RunningApp } from './app.ts'

const run = promisify(execFile)

/**
 * A base backup by hand, as PostgreSQL's manual has it ("Making a Base Backup Using the Low Level API"), because the packaged
 * programs are only the server: files are copied while they are written, and the log that is copied last makes them good.
 */
async function backUp(url: string, cluster: string, backup: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`SELECT pg_backup_start('drill', true)`)
    // Files that go meanwhile make cp end with 1; owners and modes must stay as they are.
    await run('cp', ['-a', cluster, backup]).catch(() => undefined)
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    await rm(join(backup, 'pg_wal'), { recursive: true })
    await run('cp', ['-a', join(cluster, 'pg_wal'), join(backup, 'pg_wal')])
    for (const name of ['postmaster.pid', 'postmaster.opts']) await rm(join(backup, name), { force: true })
    await writeFile(join(backup, 'backup_label'), rows[0]?.labelfile ?? '')
    await run('chown', [`--reference=${join(backup, 'PG_VERSION')}`, join(backup, 'backup_label')])
  } finally {
    await client.end()
  }
}

const ticks = async (url: string): Promise<Record<string, unknown>> => {
  const answer: unknown = await (await fetch(`${url}/v1/stats`)).json()
  return Object(Object(answer).ticks)
}

/** A control plane and a worker, as they start. */
const scaler = (url: string): Promise<[RunningApp, RunningApp]> =>
  Promise.all([
    startApp('scaler', 'control-plane', '--store', url, '--audit-interval-ms', '1000'),
    startApp('scaler', 'worker', '--store', url, '--name', 'worker-0'),
  ])

test('the scaler: a base backup taken while rows are ticked, restored into a new server; no tick is doubled or lost', async () => {
  await using place = await temporaryFolder()
  const [lost, restored] = ['lost', 'restored'].map((name) => join(place.path, name))
  await mkdir(`${restored}`)
  {
    const postgres = await startEmbeddedPostgres({ dataDir: `${lost}` })
    const [control, worker] = await scaler(postgres.url)
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ count: 200 })
    const added = await fetch(`${control.url}/v1/rows`, { method: 'POST', headers, body })
    expect(added.ok).toBe(true)
    await waitUntil(async () => (await ticks(control.url))['rows'] === 200, { what: 'an audit of ticked rows' })
    await backUp(postgres.url, join(`${lost}`, 'cluster'), join(`${restored}`, 'cluster'))
    await run('cp', ['-a', join(`${lost}`, 'password'), `${restored}`])
    await Promise.all([control.kill(), worker.kill()])
    await postgres.stop()
  }
  await rm(`${lost}`, { recursive: true })
  const postgres = await startEmbeddedPostgres({ dataDir: `${restored}` })
  try {
    const [control, worker] = await scaler(postgres.url)
    const audited = await waitUntil(
      async () => {
        const found = await ticks(control.url)
        return found['rows'] === 200 && found
      },
      { what: 'an audit of the restored rows' },
    )
    expect(audited).toMatchObject({ rowsInTable: 200, lostTicks: '0', doubledTicks: '0' })
    await Promise.all([control.kill(), worker.kill()])
  } finally {
    await postgres.stop()
  }
})
