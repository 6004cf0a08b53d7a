import { startPostgresPair } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { openPostgresWorkItems } from './postgres.ts'

await describeOnBackend('postgres', () => {
  test('a store that names both servers goes on with the promoted standby, rows and all; the standby alone is refused', async () => {
    await using pair = await startPostgresPair({ synchronous: true, durability: 'process' })
    const { primary, standby, url } = pair
    await using store = await openPostgresWorkItems({ url, slots: 64 })
    await store.rows.add({ count: 50 })
    await expect(openPostgresWorkItems({ url: standby.url })).rejects.toThrow(/it is a read-only standby: give the URL/)
    await primary.kill()
    await expect(store.check()).rejects.toThrow(/PostgreSQL/)
    await pair.promote()
    await waitUntil(() => store.check().then(() => true), { timeoutMs: 60_000, what: 'the new primary to be found' })
    await primary.restart()
    await store.rows.add({ count: 5 })
    await expect(store.rows.count()).resolves.toBe(55)
    await using later = await openPostgresWorkItems({ url })
    await expect(later.rows.count()).resolves.toBe(55)
  }, 120_000)
})
