import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { compareTicks, openWorkItemStore, snapshotTicks } from '@ballast/state-stores/work-item'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { main } from './cluster.ts'

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

  test('a certificate of somebody else is refused in one sentence', async () => {
    await using server = await startBackend('postgres', { durability: 'none', tls: true })
    const env = { SCALER_STORE: `${server.url}?sslmode=verify-full` }
    await using refused = startProcess({ args: [main, 'worker', '--name', 'w', '--listen', '127.0.0.1:0'], env })
    await expect(refused.exit).resolves.toEqual({ code: 2, signal: null })
    expect(refused.stderr.join('\n')).toMatch(/certificate/)
  }, 120_000)
})
