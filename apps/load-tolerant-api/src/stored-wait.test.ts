import { encodeDocument, openDocumentStore } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { StoredWait } from './stored-wait.ts'

const away = () => Promise.reject(new Error('away'))
const idOf = (n: number): string => n.toString(16).padStart(24, '0')

test('five hundred who wait share a few reads, and each is told once all of his documents are there', async () => {
  await using documents = await openDocumentStore('memory:')
  let reads = 0
  const get = (ids: readonly string[]) => (reads++, documents.get(ids))
  await using stream = await openStream('memory:')
  const wait = new StoredWait({ documents: { get }, stream, maxWaiting: 500, timeoutMs: 30_000, pollMs: 1 })
  const waiting = Array.from({ length: 500 }, (_, n) => wait.wait([idOf(2 * n), idOf(2 * n + 1)]))
  await documents.insertMany(Array.from({ length: 999 }, (_, n) => encodeDocument(idOf(n), {})))
  const last = waiting.pop()
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['stored']))
  expect(reads).toBeLessThan(10)
  await documents.insertMany([encodeDocument(idOf(999), {})])
  expect(await last).toBe('stored')
})

test('a store that is away makes it late; a dead letter ends the wait', async () => {
  const letter = { id: idOf(1), reason: 'why', body: Buffer.alloc(0), buriedAtMs: 0, deliveries: 1 }
  const deadLetter = async (id: string) => (id === letter.id ? letter : undefined)
  const options = { documents: { get: away }, stream: { deadLetter }, maxWaiting: 9, pollMs: 1 }
  expect(await new StoredWait({ ...options, timeoutMs: 20 }).wait([idOf(2)])).toBe('late')
  expect(await new StoredWait({ ...options, timeoutMs: 30_000 }).wait([idOf(1)])).toBe('dead')
})

test('as many as fit may enter, and who leaves makes room', () => {
  const options = { documents: { get: async () => [] }, stream: { deadLetter: async () => undefined } }
  const wait = new StoredWait({ ...options, maxWaiting: 2, timeoutMs: 1 })
  expect([wait.enter(), wait.enter(), wait.enter()]).toEqual([true, true, false])
  wait.leave()
  expect(wait.enter()).toBe(true)
})
