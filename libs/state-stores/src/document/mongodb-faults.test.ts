import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { Double, Long, MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { encodeDocument } from './bson.ts'
import { mongodbDocumentStore } from './mongodb.ts'
import { isTemporary } from './mongodb-errors.ts'
import { ObjectIds } from './object-id.ts'
import type { Document } from './port.ts'

const ids = new ObjectIds()
const document = (fields: Record<string, unknown> = {}): Document =>
  encodeDocument(ids.hex(ids.reserve(1, Date.now()), 0), { type: 'write', ...fields })
const timeouts = 'socketTimeoutMS=1000&serverSelectionTimeoutMS=1000&connectTimeoutMS=1000'

await describeOnBackend('mongodb', () => {
  test('kill -9 of the server while it is written to: every acknowledged document is there, and a repeat doubles none', async () => {
    await using server = await startBackend('mongodb', { durability: 'disk' })
    await using store = await mongodbDocumentStore({ url: `${server.url}&${timeouts.replace('1000', '10000')}` })
    const acknowledged: string[] = []
    const unknown: Document[] = []
    let stopped = false
    const client = async (): Promise<void> => {
      while (!stopped) {
        const batch = Array.from({ length: 20 }, (_, n) => document({ n }))
        try {
          await store.insertMany(batch)
          acknowledged.push(...batch.map(({ id }) => id))
        } catch {
          unknown.push(...batch)
          stopped = true
        }
      }
    }
    const clients = Array.from({ length: 2 }, client)
    await waitUntil(() => acknowledged.length > 400, { timeoutMs: 30_000 })
    await server.kill()
    await Promise.all(clients)
    await server.restart()
    await waitUntil(
      () =>
        store.check().then(
          () => true,
          () => false,
        ),
      { timeoutMs: 30_000 },
    )
    const stored = await store.get(acknowledged)
    expect(stored.filter((bson) => bson === undefined)).toHaveLength(0)
    const outcomes = await store.insertMany(unknown)
    expect(new Set([...outcomes.map(({ outcome }) => outcome), 'exists', 'inserted']).size).toBe(2)
    expect(await store.count()).toBe(acknowledged.length + unknown.length)
  }, 180_000)

  test('lost answers and a stopped server are unknown outcomes that name it; a repeat is told exists; then all is well', async () => {
    await using server = await startBackend('mongodb', { durability: 'none' })
    await using proxy = await startFaultProxy({ target: server.url, mongo: {} })
    const url = `${proxy.url}&${timeouts}`
    await using store = await mongodbDocumentStore({ url })
    const [lost, paused] = [document(), document()]
    proxy.set({ drop: 'answers' })
    const losing = store.insertMany([lost])
    await expect(losing).rejects.toBeInstanceOf(OutcomeUnknownError)
    await expect(losing).rejects.toThrow(`mongodb://${new URL(proxy.url).host}/assessmentdb`)
    proxy.heal()
    await waitUntil(
      () =>
        store.check().then(
          () => true,
          () => false,
        ),
      { timeoutMs: 20_000 },
    )
    expect(await store.insertMany([lost])).toEqual([{ outcome: 'exists' }])
    // The driver's own retry would be a third command.
    expect(proxy.writeCommands?.count).toBe(2)
    await server.pause()
    await expect(store.insertMany([paused])).rejects.toThrow(new URL(proxy.url).host)
    await server.resume()
    await waitUntil(
      () =>
        store.check().then(
          () => true,
          () => false,
        ),
      { timeoutMs: 20_000 },
    )
    await store.insertMany([paused])
    expect(await store.count()).toBe(2)
    await server.kill()
    await expect(store.check()).rejects.toThrow(new URL(proxy.url).host)
    await waitUntil(
      () =>
        store.insertMany([document()]).then(
          () => false,
          (error: unknown) => error instanceof NotAppliedError,
        ),
      {
        timeoutMs: 20_000,
      },
    )
  }, 180_000)

  test('a unique index of the user refuses for good and says which; foreign documents are left alone', async () => {
    await using server = await startBackend('mongodb', { durability: 'none' })
    await using store = await mongodbDocumentStore({ url: server.url })
    await using client = await MongoClient.connect(server.url)
    const collection = client.db('assessmentdb').collection<{ _id: number; type: string; serial?: number }>('records')
    await collection.createIndex({ serial: 1 }, { unique: true, sparse: true })
    await collection.insertMany([
      { _id: 1, type: 'write', serial: 7 },
      { _id: 2, type: 'write' },
    ])
    const [good, other] = [document({ serial: 8 }), document({ serial: 7 })]
    expect(await store.insertMany([good, other])).toEqual([
      { outcome: 'inserted' },
      { outcome: 'invalid', reason: expect.stringContaining('serial_1') },
    ])
    expect((await store.findFirst({ type: 'write' }))?.id).toBe(good.id)
    expect(await store.count()).toBe(3)
  }, 180_000)

  test('values that a decoder would change come back as the same bytes', async () => {
    await using server = await startBackend('mongodb', { durability: 'none' })
    await using store = await mongodbDocumentStore({ url: server.url })
    const written = document({ whole: 5, double: new Double(5), long: Long.fromNumber(5) })
    await store.insertMany([written])
    expect(await store.insertMany([written])).toEqual([{ outcome: 'exists' }])
  }, 180_000)

  test('a document refused for a reason nobody has listed fails no neighbour, and says whether the server is to blame', async () => {
    await using server = await startBackend('mongodb', { durability: 'none' })
    await using store = await mongodbDocumentStore({ url: server.url })
    await using client = await MongoClient.connect(server.url)
    // No index holds two arrays of one document: code 171, CannotIndexParallelArrays.
    await client.db('assessmentdb').collection('records').createIndex({ a: 1, b: 1 }, { unique: true })
    const outcomes = await store.insertMany([document({ a: 1 }), document({ a: [1], b: [2] }), document({ a: 2 })])
    expect(outcomes).toEqual([
      { outcome: 'inserted' },
      { outcome: 'refused', reason: expect.stringMatching(/parallel arrays.*code 171/), temporary: false },
      { outcome: 'inserted' },
    ])
    expect([112, 14_031].map(isTemporary)).toEqual([true, true])
  }, 60_000)
})
