import { startBackend, type RunningBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { afterAll, beforeAll, vi } from 'vitest'
import { describeFaults } from '../contract/faults.ts'
import { s3BlobStore } from '../s3.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

await describeOnBackend('s3', () => {
  let server: RunningBackend
  beforeAll(async () => {
    server = await startBackend('s3')
  })
  afterAll(() => server.stop())
  describeFaults({
    server: () => server,
    open: (url) => s3BlobStore({ url: own(url), timeoutMs: 1500 }),
  })
})

const own = (url: string): string => url.replace(/\/?\?/, '/faults/?create=true&')
