import { startBackend } from '@ballast/backends'
import { makeCertificate } from '@ballast/backends/certificate'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { compareTicks, openWorkItemStore, snapshotTicks } from '@ballast/state-stores/work-item'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { main } from './cluster.ts'

const startWorker = (store: string) =>
  startProcess({ args: [main, 'worker', '--name', 'w', '--listen', '127.0.0.1:0'], env: { SCALER_STORE: store } })
const patience = { timeoutMs: 90_000, everyMs: 50 }

await describeOnBackend('postgres', () => {
  test('over TLS, checked against its authority; the server is restarted, and killed: no tick is lost or doubled', async () => {
    await using folder = await temporaryFolder()
    await using server = await startBackend('postgres', { durability: 'process', tls: true })
    const authority = join(folder.path, 'ca.pem')
    await writeFile(authority, server.ca ?? '')
    const url = `${server.url}?sslmode=verify-full&sslrootcert=${authority}`
    const start = (...args: string[]) =>
      startProcess({ args: [main, ...args, '--listen', '127.0.0.1:0'], env: { SCALER_STORE: url } })
    await using control = start('control-plane', '--leader-ttl-ms', '1000')
    await using first = start('worker', '--name', 'worker-0')
    await using second = start('worker', '--name', 'worker-1')
    for (const each of [control, first, second]) await each.waitForLine(/"listening"/)
    await using store = await openWorkItemStore(url, { applicationName: 'test' })
    await store.rows.add({ count: 300 })
    await waitUntil(async () => new Set((await store.leaders.map()).owners).size === 2, patience)
    const ticking = () =>
      waitUntil(
        async () => {
          const { oldestTick = 0n } = await snapshotTicks(store.rows).catch(() => ({ oldestTick: 0n }))
          return Date.now() / 1000 - Number(oldestTick) < 2
        },
        { ...patience, what: 'every row to tick again' },
      )
    await ticking()
    const before = await snapshotTicks(store.rows)
    await server.restart()
    await ticking()
    await server.kill()
    await expect(store.check()).rejects.toThrow(/PostgreSQL/)
    await server.restart()
    await ticking()
    expect(compareTicks(before, await snapshotTicks(store.rows))).toMatchObject({
      rows: 300,
      doubledRows: 0,
      lostRows: 0,
    })
  }, 240_000)

  test('a server that asks for a certificate: whoever shows it works, who has none is refused in one sentence', async () => {
    await using folder = await temporaryFolder()
    await using server = await startBackend('postgres', { durability: 'none', tls: true })
    const admin = new pg.Client({ connectionString: server.url, ssl: { ca: server.ca ?? '' } })
    admin.on('error', () => {})
    await admin.connect()
    const { rows } = await admin.query<{ file: string }>(`SELECT current_setting('hba_file') AS file`)
    const rules = rows[0]?.file ?? ''
    const { certificate, key } = await makeCertificate()
    const authority = join(dirname(rules), 'clients.pem')
    await writeFile(authority, certificate)
    // The name in the certificate is the user.
    await admin.query('CREATE ROLE localhost LOGIN SUPERUSER')
    await admin.query(`ALTER SYSTEM SET ssl_ca_file = '${authority}'`)
    await writeFile(rules, 'hostssl all all 127.0.0.1/32 cert\n')
    await admin.query('SELECT pg_reload_conf()')
    await admin.end()
    const file = async (name: string, text: string) => {
      const path = join(folder.path, name)
      await writeFile(path, text, { mode: 0o600 })
      return path
    }
    const url = new URL(server.url)
    url.username = 'localhost'
    url.password = ''
    url.searchParams.set('sslmode', 'verify-full')
    url.searchParams.set('sslrootcert', await file('ca.pem', server.ca ?? ''))
    const nameless = url.href
    url.searchParams.set('sslcert', await file('cert.pem', certificate))
    url.searchParams.set('sslkey', await file('key.pem', key))
    // The server takes up its new rules within a moment.
    await waitUntil(async () => {
      await using refused = startWorker(nameless)
      await Promise.race([refused.exit, refused.waitForLine(/"watching"/)])
      return refused.stderr.join().includes('certificate')
    }, patience)
    await using known = startWorker(url.href)
    await expect(known.waitForLine(/"watching"/)).resolves.toContain('"rows":0')
  }, 120_000)

  test('a certificate of somebody else is refused in one sentence', async () => {
    await using server = await startBackend('postgres', { durability: 'none', tls: true })
    const env = { SCALER_STORE: `${server.url}?sslmode=verify-full` }
    await using refused = startProcess({ args: [main, 'worker', '--name', 'w', '--listen', '127.0.0.1:0'], env })
    await expect(refused.exit).resolves.toEqual({ code: 2, signal: null })
    expect(refused.stderr.join('\n')).toMatch(/certificate/)
  }, 120_000)
})
