import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { startFaultProxy } from '../fault-proxy.ts'

await describeOnBackend('mongodb', ({ url }) => {
  test('write commands are counted as the server counts them, whatever the number of documents', async () => {
    await using proxy = await startFaultProxy({ target: url, mongo: {} })
    await using client = await MongoClient.connect(proxy.url, { retryWrites: false })
    const collection = client.db('fault_proxy').collection<{ _id: number }>(`counted_${process.pid}`)
    const server = async (): Promise<{ insert: number; update: number }> =>
      (await client.db().admin().serverStatus())['opcounters']
    const before = await server()
    await collection.insertMany(Array.from({ length: 5000 }, (_, _id) => ({ _id })))
    await collection.updateMany({}, { $set: { seen: true } })
    await collection.countDocuments()
    const after = await server()
    expect(proxy.writeCommands?.count).toBe(2)
    expect([after.insert - before.insert, after.update - before.update]).toEqual([1, 1])
    await collection.drop()
  })

  test('with a cap no sliding second sees more, over all connections', async () => {
    await using proxy = await startFaultProxy({ target: url, mongo: { perSecond: 50 } })
    await using client = await MongoClient.connect(proxy.url, { retryWrites: false, maxPoolSize: 20 })
    const collection = client.db('fault_proxy').collection<{ _id: number }>(`capped_${process.pid}`)
    await Promise.all(Array.from({ length: 120 }, (_, _id) => collection.insertOne({ _id })))
    expect(proxy.writeCommands?.count).toBe(120)
    expect(proxy.writeCommands?.worstSecond).toBeLessThanOrEqual(50)
    await expect(collection.countDocuments()).resolves.toBe(120)
    await collection.drop()
  })
})
