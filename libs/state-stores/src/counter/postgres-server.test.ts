import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { add, one } from './contract/operations.ts'
import { postgresCounterStore } from './postgres.ts'

await describeOnBackend('postgres', () => {
  test('a server that no longer syncs is no longer called durable, until it does', async () => {
    await using server = await startBackend('postgres')
    await using store = await postgresCounterStore({ url: `${server.url}?schema=own`, sweepEveryMs: 50 })
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      await one(store, add('n/a', 1n))
      expect(store.capabilities).toMatchObject({ durable: true })
      await client.query('ALTER SYSTEM SET synchronous_commit = off')
      await client.query('SELECT pg_reload_conf()')
      await waitUntil(() => !store.capabilities.durable)
      expect(store.capabilities.caveat).toMatch(/synchronous_commit is off/)
      await client.query('ALTER SYSTEM RESET synchronous_commit')
      await client.query('SELECT pg_reload_conf()')
      await waitUntil(() => store.capabilities.durable)
    } finally {
      await client.end()
    }
  })
})
