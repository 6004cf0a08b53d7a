import { Health } from '@ballast/service'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions } from '@ballast/state-stores/stream'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { watchStores } from './watch-stores.ts'

test('not ready once every partition refuses writes, though their sum is below the bound of the queue', async () => {
  await using folder = await temporaryFolder()
  await using stream = await openPartitions(`lmdb:${folder.path}/queue`, { partitions: 3, bounds: { maxEntries: 10 } })
  await using documents = await openDocumentStore('memory:')
  const health = new Health()
  health.started = true
  watchStores(health, { stream, documents, strict: false })
  for (let n = 0; n < 60; n++) {
    const { ok, checks } = await health.probe('readyz')
    const { entries } = await stream.backlog()
    const reason = checks.find(({ name }) => name === 'queue')?.reason
    expect([ok, reason]).toEqual(entries < 9 ? [true, undefined] : [false, 'full: 9 entries'])
    const firstId = `65000000aaaaaaaaaa${n.toString(16).padStart(6, '0')}`
    await stream.append([{ documents: 1, body: Buffer.from(firstId, 'hex'), firstId }])
  }
  expect((await stream.backlog()).entries).toBe(9)
})
