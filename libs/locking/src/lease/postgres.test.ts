import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import pg from 'pg'
import { expect, test } from 'vitest'
import { describeLeaseContract } from './contract.ts'
import { PostgresLeaseStore } from './postgres.ts'
import { fencedInPostgres } from './test/fenced-postgres.ts'

const claim = { nonce: 'a'.repeat(32), holder: 'me', ttlMs: 60_000, timeoutMs: 10_000 }

await describeOnBackend('postgres', ({ url }) => {
  const run = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(statement)
    await client.end()
  }

  describeLeaseContract('postgres', async () => ({
    open: () => PostgresLeaseStore.open(url),
    openFenced: () => fencedInPostgres(url),
    forget: (key) => run(`DELETE FROM ballast_lease.leases WHERE key = '${key}'`),
    [Symbol.asyncDispose]: async () => {},
  }))

  test('many who open an empty database at once all succeed', async () => {
    const target = new URL(url)
    target.searchParams.set('schema', `lease_${process.pid}`)
    const stores = await Promise.all(Array.from({ length: 6 }, () => PostgresLeaseStore.open(target.href)))
    await expect(stores[0]?.take('key', claim)).resolves.toEqual({ taken: true, epoch: 1n })
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()))
    await run(`DROP SCHEMA lease_${process.pid} CASCADE`)
  })

  test('a server that stands still fails the call in time, and is used again when it goes on', async () => {
    await using server = await startBackend('postgres', { durability: 'none' })
    await using store = await PostgresLeaseStore.open(server.url)
    await server.pause()
    await expect(store.take('key', { ...claim, timeoutMs: 200 })).rejects.toThrow(/no answer|timeout/)
    await server.resume()
    await expect
      .poll(() => store.take('key', claim).catch(() => undefined), { timeout: 20_000 })
      .toMatchObject({
        taken: true,
      })
  })
})

test('URLs that cannot work are refused without telling the password', async () => {
  await expect(PostgresLeaseStore.open('postgres://me:secret@host')).rejects.toThrow(
    /^the PostgreSQL URL cannot be read/,
  )
  await expect(PostgresLeaseStore.open('postgres://me:secret@host/db?schema=A-B')).rejects.toThrow('has a schema')
  await expect(PostgresLeaseStore.open('postgres://me:secret@127.0.0.1:1/db')).rejects.toThrow(
    /^((?!secret).)*ECONNREFUSED/,
  )
})
