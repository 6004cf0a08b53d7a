import { describe, expect, test } from 'vitest'
import { decodeDocument, encodeDocument } from './bson.ts'
import { ObjectIds } from './object-id.ts'
import type { Document, DocumentStore } from './port.ts'

export interface DocumentCapabilities {
  /** Keeps the times of its write commands; a server-side store cannot be asked for them. */
  readonly commandTimes: boolean
  /** `handle`: a server counts for all its databases, so the store counts its own commands only. Default: `store`. */
  readonly commandCount?: 'store' | 'handle'
  /** `natural`: without an index the server's own order is the only one that a read can have cheaply. Default: `insertion`. */
  readonly firstOfType?: 'insertion' | 'natural'
  /** Another handle on the same data, where the data outlives the handle. */
  readonly reopen?: boolean
}

/** The rules of `DocumentStore`, for any backend. `open` is given a name: the same name means the same data. */
export function describeDocumentStoreContract(
  name: string,
  open: (data: string) => Promise<DocumentStore>,
  capabilities: DocumentCapabilities,
): void {
  const ids = new ObjectIds()
  const id = (): string => ids.hex(ids.reserve(1, Date.now()), 0)
  const document = (fields: Readonly<Record<string, unknown>> = {}): Document => encodeDocument(id(), fields)
  const data = (): string => `documents-${id()}`

  describe(`document store: ${name}`, () => {
    test('inserts and returns the same bytes', async () => {
      await using store = await open(data())
      const written = document({ type: 'write', index: 3, payload: 'ab', timestamp: new Date(1_700_000_000_123) })
      expect(await store.insertMany([written])).toEqual([{ outcome: 'inserted' }])
      const [bson, missing] = await store.get([written.id, id()])
      expect(missing).toBeUndefined()
      expect(Buffer.from(bson ?? [])).toEqual(Buffer.from(written.bson))
      expect(decodeDocument(bson ?? new Uint8Array())).toMatchObject({ _id: written.id, index: 3 })
    })

    test('a repeated insert is told exists and changes nothing', async () => {
      await using store = await open(data())
      const batch = [document({ n: 1 }), document({ n: 2 })]
      await store.insertMany(batch)
      expect(await store.insertMany([...batch, document({ n: 3 })])).toEqual([
        { outcome: 'exists' },
        { outcome: 'exists' },
        { outcome: 'inserted' },
      ])
      expect(await store.count()).toBe(3)
    })

    test('the same _id with other content is a conflict and the stored document stays', async () => {
      await using store = await open(data())
      const first = document({ n: 1 })
      await store.insertMany([first])
      expect(await store.insertMany([encodeDocument(first.id, { n: 2 })])).toEqual([{ outcome: 'conflict' }])
      expect((await store.get([first.id]))[0]).toEqual(Buffer.from(first.bson))
    })

    test('one batch may hold an _id twice: the first one counts', async () => {
      await using store = await open(data())
      const first = document({ n: 1 })
      const outcomes = await store.insertMany([first, first, encodeDocument(first.id, { n: 2 })])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['inserted', 'exists', 'conflict'])
      expect(await store.count()).toBe(1)
    })

    test('an invalid document says why and never fails its neighbours', async () => {
      await using store = await open(data())
      const [good, other, cut] = [document(), document(), document({ text: 'x'.repeat(50) })]
      const damaged = Buffer.from(cut.bson)
      damaged.writeInt32LE(999_999, damaged.indexOf('text\0') + 5)
      const outcomes = await store.insertMany([
        { id: id(), bson: Buffer.from('no bson') },
        { id: id(), bson: other.bson },
        { id: cut.id, bson: damaged },
        good,
      ])
      expect(outcomes).toEqual([
        { outcome: 'invalid', reason: expect.stringContaining('ObjectId _id') },
        { outcome: 'invalid', reason: expect.stringContaining('differs') },
        { outcome: 'invalid', reason: expect.stringContaining('damaged BSON') },
        { outcome: 'inserted' },
      ])
      expect(await store.count()).toBe(1)
    })

    test('each insertMany is one write command, an empty one is none', async () => {
      await using store = await open(data())
      const before = await store.commands()
      await store.insertMany(Array.from({ length: 500 }, () => document()))
      await store.insertMany([document()])
      await store.insertMany([])
      expect(await store.commands()).toBe(before + 2n)
    })

    test('finds the first document of a type, in insertion order where the store has one', async () => {
      await using store = await open(data())
      expect(await store.findFirst({ type: 'write' })).toBeUndefined()
      const [late, early] = [document({ type: 'write', n: 1 }), document({ type: 'write', n: 2 })]
      await store.insertMany([document({ type: 'other' }), document(), early])
      await store.insertMany([late])
      const first = capabilities.firstOfType === 'natural' ? [early.id, late.id] : [early.id]
      expect(first).toContain((await store.findFirst({ type: 'write' }))?.id)
    })

    test('the caller may reuse his bytes', async () => {
      await using store = await open(data())
      const written = document({ n: 1 })
      const reused = Buffer.from(written.bson)
      await store.insertMany([{ id: written.id, bson: reused }])
      reused.fill(0)
      expect((await store.get([written.id]))[0]).toEqual(Buffer.from(written.bson))
    })

    test('concurrent inserts of the same documents insert each of them once', async () => {
      await using store = await open(data())
      const batch = Array.from({ length: 50 }, (_, n) => document({ n }))
      const all = await Promise.all(Array.from({ length: 5 }, () => store.insertMany(batch)))
      expect(all.flat().filter(({ outcome }) => outcome === 'inserted')).toHaveLength(50)
      expect(await store.count()).toBe(50)
    })

    test.skipIf(!capabilities.commandTimes)('keeps the time of each write command', async () => {
      await using store = await open(data())
      const from = performance.timeOrigin + performance.now()
      await store.insertMany([document()])
      await store.insertMany([document()])
      const times = (await store.commandTimes?.()) ?? []
      expect(times).toHaveLength(2)
      expect(times[0]).toBeGreaterThanOrEqual(from - 1)
      expect(times[1]).toBeGreaterThanOrEqual(times[0] ?? Infinity)
    })

    test.skipIf(!capabilities.reopen)('documents and command count survive close and open', async () => {
      const name = data()
      const written = document({ type: 'write' })
      {
        await using store = await open(name)
        await store.insertMany([written])
      }
      await using store = await open(name)
      expect(await store.insertMany([written])).toEqual([{ outcome: 'exists' }])
      expect((await store.findFirst({ type: 'write' }))?.id).toBe(written.id)
      expect(await store.commands()).toBe(capabilities.commandCount === 'handle' ? 1n : 2n)
    })
  })
}
