import { join } from 'node:path'
import { openDocumentStore } from '@ballast/state-stores/document'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { get, load, type Told } from './load-client.ts'
import { start, stop, stores } from './system.ts'

const commandsPerSecond = 30

test('two consumers share the cap on write commands, use most of it, and store everything once', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', args)
  // Few documents a command, so that the cap is what limits the two.
  const limits = ['--commands-per-second', String(commandsPerSecond), '--max-batch-documents', '5']
  await using one = await start('consumer', [...args, ...limits])
  await using two = await start('consumer', [...args, ...limits])
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  const done = new AbortController()
  const clients = load(() => api.url, 4, told, done.signal)
  await waitUntil(() => told.acknowledged.length > 500)
  done.abort()
  await clients
  const stored = async (): Promise<number> => JSON.parse((await get(`${api.url}/api/stats`)).body).total_documents
  await waitUntil(async () => (await stored()) === told.acknowledged.length, { timeoutMs: 60_000 })

  expect([await stop(one), await stop(two)]).toEqual([0, 0])

  await using documents = await openDocumentStore(`lmdb:${join(folder.path, 'documents')}`)
  const times = (await documents.commandTimes?.()) ?? []
  const inSecondFrom = (from: number): number => times.filter((at) => at >= from && at < from + 1000).length
  const worst = Math.max(...times.map(inSecondFrom))
  expect(worst).toBeLessThanOrEqual(commandsPerSecond)
  expect(worst).toBeGreaterThan(commandsPerSecond / 2)
}, 120_000)
