import { encodeDocument } from '@ballast/state-stores/document'
import type { Claimed } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { judge, mergeClaims } from './batch.ts'

const document = (n: number) => encodeDocument(n.toString(16).padStart(24, '0'), { n })
const claim = (entry: string, body: Uint8Array, takeovers = 0): Claimed => ({
  entry,
  owner: 'me',
  delivery: 1,
  takeovers,
  appendedAtMs: 0,
  documents: 1,
  body,
})
const entryOf = (name: string, ...numbers: number[]): Claimed =>
  claim(name, Buffer.concat(numbers.map((n) => document(n).bson)))

test('merges entries in order and settles each by its own documents', () => {
  const [batch, ...more] = mergeClaims([entryOf('a', 1, 2), entryOf('b', 3), entryOf('c', 4)], 3)
  if (batch === undefined) throw new Error('expected a batch')
  expect(more).toEqual([])
  expect(batch.documents.map(({ id }) => Number.parseInt(id, 16))).toEqual([1, 2, 3, 4])
  const verdict = judge(batch, [
    { outcome: 'inserted' },
    { outcome: 'exists' },
    { outcome: 'conflict' },
    { outcome: 'invalid', reason: 'why' },
  ])
  expect(verdict.acknowledge.map(({ entry }) => entry)).toEqual(['a'])
  expect(verdict.bury.map(({ claimed, dead }) => [claimed.entry, dead.map(({ id, reason }) => [id, reason])])).toEqual([
    ['b', [[document(3).id, 'conflict: this _id is stored with other content']]],
    ['c', [[document(4).id, 'invalid: why']]],
  ])
})

test('an unreadable entry is buried whole, and its neighbours are written', () => {
  const [batch] = mergeClaims([claim('bad', Buffer.from('nonsense')), entryOf('good', 1)], 3)
  if (batch === undefined) throw new Error('expected a batch')
  expect(batch.documents).toHaveLength(1)
  const { acknowledge, bury } = judge(batch, [{ outcome: 'inserted' }])
  expect(acknowledge.map(({ entry }) => entry)).toEqual(['good'])
  expect(bury).toMatchObject([
    { claimed: { entry: 'bad' }, dead: [{ id: 'entry:bad', reason: expect.stringContaining('unreadable entry') }] },
  ])
})

test('an entry with which too many consumers died travels alone', () => {
  const suspect = { ...entryOf('suspect', 1), takeovers: 4 }
  const batches = mergeClaims([suspect, entryOf('a', 2), entryOf('b', 3)], 3)
  expect(batches.map(({ claims }) => claims.map(({ entry }) => entry))).toEqual([['a', 'b'], ['suspect']])
})

test('outcomes must answer for every document', () => {
  const [batch] = mergeClaims([entryOf('a', 1, 2)], 3)
  if (batch === undefined) throw new Error('expected a batch')
  expect(() => judge(batch, [{ outcome: 'inserted' }])).toThrow('1 outcomes for 2 documents')
})
