import { createHash } from 'node:crypto'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { createMetrics } from '@ballast/metrics'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Blobs } from '../blobs.ts'
import { messageMetrics } from '../metrics.ts'
import { Uploads, type UploadOptions } from './uploads.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function open(options: Partial<UploadOptions> = {}, store = new MemoryBlobStore()) {
  const metrics = messageMetrics(createMetrics({ service: 'test', processMetrics: false }))
  const blobs = new Blobs(store, metrics, { maxQueued: 100, maxQueuedBytes: 1e6 })
  return { store, blobs, uploads: new Uploads({ blobs, metrics, ...options }) }
}

const entryOf = (bytes: Uint8Array) => ({ name: { namespace: 'cas', key: sha256(bytes) }, digest: sha256(bytes) })

async function* stream(bytes: Uint8Array, cutAt = Infinity): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 3) {
    if (start >= cutAt) throw new Error('cut')
    yield bytes.subarray(start, start + 3)
  }
}

test('however often it is cut, an upload goes on behind what is there, and becomes its bytes', async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 100 })
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(fc.nat(40), { maxLength: 6 }), async (content, cuts) => {
      const { store, blobs, uploads } = open({ partBytes: 8 })
      const id = await uploads.begin('cas', 'mine')
      for (const cut of cuts) {
        const at = await uploads.sizeBytes(id, 'mine')
        const sent = uploads.append('cas', id, 'mine', at, stream(content.subarray(at), cut))
        const became = await sent.catch((error: Error) => error.message)
        expect(became).toBe(Math.ceil(cut / 3) * 3 < content.length - at ? 'cut' : content.length)
      }
      const at = await uploads.sizeBytes(id, 'mine')
      await uploads.finish('cas', id, 'mine', entryOf(content), at, stream(content.subarray(at)))
      expect((await blobs.open(entryOf(content).name))?.bytes?.equals(content)).toBe(true)
      expect(store.usage()).toMatchObject({ entries: 1, sizeBytes: content.length })
    }),
  )
})

test('a piece that is not the next one is refused, and changes nothing', async () => {
  const { uploads } = open()
  const id = await uploads.begin('cas', 'mine')
  await uploads.append('cas', id, 'mine', 0, stream(Buffer.from('abc')))
  for (const start of [0, 2, 4]) {
    await expect(uploads.append('cas', id, 'mine', start, stream(Buffer.from('x')))).rejects.toMatchObject({
      code: 'upload-offset',
      headers: { range: '0-2' },
    })
  }
  expect(await uploads.sizeBytes(id, 'mine')).toBe(3)
})

test('of two processes that write one piece at once one does; what is there stays whole', async () => {
  const { store, uploads: first } = open({ partBytes: 8 })
  const second = open({ partBytes: 8 }, store).uploads
  const id = await first.begin('cas', 'mine')
  const texts = ['first!', 'second']
  const became = await Promise.allSettled(
    [first, second].map((each, index) => each.append('cas', id, 'mine', 0, stream(Buffer.from(texts[index] ?? '')))),
  )
  const winner = became.findIndex(({ status }) => status === 'fulfilled')
  expect(became[1 - winner]).toMatchObject({ status: 'rejected', reason: { code: 'upload-busy', status: 409 } })
  const bytes = Buffer.from(`${texts[winner]} and on`)
  await first.finish('cas', id, 'mine', entryOf(bytes), 6, stream(Buffer.from(' and on')))
  expect(store.usage()).toMatchObject({ entries: 1, sizeBytes: bytes.length })
})

test('wrong bytes end it, and nothing is left', async () => {
  const { store, uploads } = open()
  const id = await uploads.begin('cas', 'mine')
  const wrong = uploads.finish(
    'cas',
    id,
    'mine',
    entryOf(Buffer.from('right')),
    undefined,
    stream(Buffer.from('wrong')),
  )
  await expect(wrong).rejects.toMatchObject({ code: 'digest-mismatch' })
  expect(store.usage()?.entries).toBe(0)
  await expect(uploads.sizeBytes(id, 'mine')).rejects.toMatchObject({ code: 'upload-unknown' })
})

test('where there is no room nothing is added, and the same request can be sent again', async () => {
  const { store, uploads } = open({}, new MemoryBlobStore({ quotaBytes: 190 }))
  const [big, small] = [Buffer.alloc(90, 1), Buffer.from(Array.from({ length: 30 }, (_, index) => index))]
  const id = await uploads.begin('cas', 'mine')
  await store.put({ name: { namespace: 'x', key: 'big' } }, [big])
  await uploads.append('cas', id, 'mine', 0, stream(small.subarray(0, 15)))
  const finish = () => uploads.finish('cas', id, 'mine', entryOf(small), undefined, stream(small.subarray(15)))
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(finish()).rejects.toMatchObject({ code: 'store-full' })
    await expect(uploads.sizeBytes(id, 'mine')).resolves.toBe(15)
  }
  await store.remove([{ namespace: 'x', key: 'big' }])
  await finish()
  expect(store.usage()).toMatchObject({ entries: 1, sizeBytes: 30 })
})

test('what is cancelled through another process while it arrives leaves nothing', async () => {
  const { store, uploads: first } = open({ partBytes: 2 })
  const second = open({ partBytes: 2 }, store).uploads
  const id = await first.begin('cas', 'mine')
  const begun = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const slow = async function* () {
    yield Buffer.from('aabb')
    begun.resolve()
    await cancelled.promise
    yield Buffer.from('ccdd')
  }
  const arriving = first.append('cas', id, 'mine', 0, slow())
  await begun.promise
  await second.cancel(id, 'mine')
  cancelled.resolve()
  await expect(arriving).rejects.toMatchObject({ code: 'upload-unknown' })
  expect(store.usage()?.entries).toBe(0)
})

test('it belongs to who began it, and takes one request at a time', async () => {
  const { uploads } = open()
  const id = await uploads.begin('cas', 'mine')
  const gate = Promise.withResolvers<void>()
  const slow = async function* () {
    await gate.promise
    yield Buffer.from('a')
  }
  const first = uploads.append('cas', id, 'mine', 0, slow())
  await expect(uploads.append('cas', id, 'mine', 0, slow())).rejects.toMatchObject({ code: 'upload-busy' })
  gate.resolve()
  await first
  for (const [other, scope] of [
    [id, 'yours'],
    ['0'.repeat(32), 'mine'],
    ['../x', 'mine'],
  ] as const) {
    await expect(uploads.sizeBytes(other, scope)).rejects.toMatchObject({ code: 'upload-unknown' })
  }
  await uploads.cancel(id, 'mine')
  await expect(uploads.cancel(id, 'mine')).rejects.toMatchObject({ code: 'upload-unknown' })
})

test('what was abandoned is removed after a day, and not before', async () => {
  let nowMs = 0
  const { store, uploads } = open({ now: () => nowMs })
  const id = await uploads.begin('cas', 'mine')
  await uploads.append('cas', id, 'mine', 0, stream(Buffer.from('abc')))
  nowMs = 24 * 3_600_000
  expect(await uploads.sweep()).toBe(0)
  nowMs += 1
  await expect(uploads.sizeBytes(id, 'mine')).rejects.toMatchObject({ code: 'upload-unknown' })
  expect(await uploads.sweep()).toBe(1)
  expect(store.usage()?.entries).toBe(0)
})
