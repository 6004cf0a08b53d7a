import { startFaultProxy } from '@ballast/fault-proxy'
import { openDocumentStore } from '@ballast/state-stores/document'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, expect, test } from 'vitest'
import { get, idsOf } from './load-client.ts'
import { describeOnRealStores } from './real-stores.ts'
import { start, stop, stores } from './system.ts'

/** Twenty requests at once, answered when the store has their documents: looked up there at that moment. */
async function expectStored(url: string, documentsUrl: string): Promise<void> {
  await using documents = await openDocumentStore(documentsUrl)
  const one = async (): Promise<[number, string, number]> => {
    const { status, headers, body } = await get(`${url}/api/data?durable=store`)
    const found = await documents.get(idsOf(body))
    return [status, String(headers['durability']), found.filter((bson) => bson !== undefined).length]
  }
  const answers = await Promise.all(Array.from({ length: 20 }, one))
  expect(answers).toEqual(answers.map(() => [200, 'fsynced-local=?1, replicas=0, stored=?1', 5]))
}

test('?durable=store on the embedded stores: 200 once the document store has all five; without a consumer 202 in time', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', [...args, '--store-wait-ms', '1500'])
  const late = await get(`${api.url}/api/data?durable=store`)
  expect([late.status, JSON.parse(late.body).status]).toEqual([202, 'queued'])
  expect(late.headers['durability']).toBe('fsynced-local=?1, replicas=0, stored=?0')
  await using consumer = await start('consumer', args)
  await expectStored(api.url, args[3] ?? '')
  expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
})

await describeOnRealStores(({ redis, mongodb }) => {
  afterAll(async () => {
    await redis.stop()
    await mongodb.stop()
  })

  test('?durable=store on Redis and MongoDB behind the cap: 200 once the store has all five', async () => {
    await using proxy = await startFaultProxy({ target: mongodb.url, mongo: { perSecond: 100 } })
    const args = ['--stream', redis.url, '--documents', proxy.url]
    await using api = await start('api', args)
    await using consumer = await start('consumer', args)
    await expectStored(api.url, mongodb.url)
    expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
  })
})
