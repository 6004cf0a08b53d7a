import { expect, test } from 'vitest'
import { decodeDocument, encodeDocument, inspect, splitDocuments } from './bson.ts'

const a = encodeDocument('650000000102030405000001', { type: 'write', text: 'ä' })
const b = encodeDocument('650000000102030405000002', { nested: { type: 'inner' } })

test('reads the top-level type only', () => {
  expect(inspect(a)).toEqual({ type: 'write' })
  expect(inspect(b)).toEqual({ type: undefined })
})

test('decodes what was encoded', () => {
  expect(decodeDocument(a.bson)).toEqual({ _id: a.id, type: 'write', text: 'ä' })
})

test('concatenated documents split again; a cut tail names its offset', () => {
  const joined = Buffer.concat([a.bson, b.bson])
  expect(splitDocuments(joined).map(({ id }) => id)).toEqual([a.id, b.id])
  expect(splitDocuments(new Uint8Array())).toEqual([])
  for (let end = a.bson.length + 1; end < joined.length; end++) {
    expect(() => splitDocuments(joined.subarray(0, end))).toThrow(`no document at byte ${a.bson.length} of ${end}`)
  }
})
