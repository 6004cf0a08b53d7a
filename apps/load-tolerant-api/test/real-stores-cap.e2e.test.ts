import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { get, load, type Told } from './load-client.ts'
import { start, stop } from './system.ts'

const commandsPerSecond = 20

/** Insert commands as the store itself counted them; a real mongod's `opcounters` are of documents. */
async function countedByStore(url: string): Promise<number> {
  await using client = await MongoClient.connect(url)
  const { metrics, opcounters } = await client.db().admin().serverStatus()
  return Number(metrics?.commands?.insert?.total ?? opcounters.insert)
}

await describeOnBackend('mongodb', () => {
  test('two consumers of the same name keep the cap by themselves, as a proxy that only counts sees it and the store, and use most of it', async () => {
    await using redis = await startBackend('redis', { durability: 'process' })
    await using mongodb = await startBackend('mongodb', { durability: 'none' })
    await using proxy = await startFaultProxy({ target: mongodb.url, mongo: {} })
    const args = ['--stream', redis.url, '--documents', proxy.url]
    await using api = await start('api', args)
    // Few documents a command, so that the cap is what limits the two.
    const limits = [
      '--commands-per-second',
      String(commandsPerSecond),
      '--max-batch-documents',
      '5',
      '--consumer-name',
      'x',
    ]
    await using one = await start('consumer', [...args, ...limits])
    await using two = await start('consumer', [...args, ...limits])
    const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
    const done = new AbortController()
    const clients = load(() => api.url, 4, told, done.signal)
    await waitUntil(() => told.acknowledged.length > 500, { timeoutMs: 30_000 })
    done.abort()
    await clients
    const stored = async (): Promise<number> => JSON.parse((await get(`${api.url}/api/stats`)).body).total_documents
    await waitUntil(async () => (await stored()) === told.acknowledged.length, { timeoutMs: 60_000 })
    expect([await stop(one), await stop(two), await stop(api)]).toEqual([0, 0, 0])
    expect(proxy.writeCommands?.count).toBeGreaterThanOrEqual(told.acknowledged.length / 5)
    expect(await countedByStore(mongodb.url)).toBe(proxy.writeCommands?.count)
    expect(proxy.writeCommands?.worstSecond).toBeLessThanOrEqual(commandsPerSecond)
    expect(proxy.writeCommands?.worstSecond).toBeGreaterThan(commandsPerSecond / 2)
  }, 120_000)
})
