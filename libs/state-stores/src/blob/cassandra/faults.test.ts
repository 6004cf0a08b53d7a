import { startBackend, type RunningBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { afterAll, beforeAll, vi } from 'vitest'
import { cassandraBlobStore } from '../cassandra.ts'
import { describeFaults } from '../contract/faults.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

await describeOnBackend('cassandra', () => {
  // `disk`: the commit log is synced before a write is answered.
  let server: RunningBackend
  beforeAll(async () => {
    server = await startBackend('cassandra', { durability: 'disk' })
    const store = await cassandraBlobStore({ url: own(server.url) })
    await store.close()
  })
  afterAll(() => server.stop())
  describeFaults({
    server: () => server,
    open: (url) => cassandraBlobStore({ url: own(url), timeoutMs: 1500 }),
  })
})

const own = (url: string): string => url.replace(/\/?\?/, '/faults?replication=1&')
