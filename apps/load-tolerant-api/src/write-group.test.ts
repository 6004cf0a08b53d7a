import { decodeDocument, inspect, ObjectIds, splitDocuments } from '@ballast/state-stores/document'
import { expect, test } from 'vitest'
import { RandomHex } from './random-hex.ts'
import { groupBytes, writeGroup } from './write-group.ts'

test('writes five documents as the general encoder would', () => {
  const ids = new ObjectIds()
  const atMs = Date.UTC(2026, 10, 21, 12, 30, 15, 678)
  const range = ids.reserve(5, atMs)
  const target = Buffer.alloc(groupBytes + 10)
  writeGroup({ ids: range, atMs }, ids, new RandomHex(), target, 10)
  const documents = splitDocuments(target.subarray(10))
  expect(documents.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4].map((index) => ids.hex(range, index)))
  const payloads = documents.map((document, index) => {
    expect(inspect(document)).toEqual({ type: 'write' })
    const fields = decodeDocument(document.bson)
    expect(Object.keys(fields)).toEqual(['_id', 'type', 'index', 'payload', 'timestamp'])
    expect(fields).toMatchObject({ type: 'write', index, timestamp: new Date(atMs) })
    return String(fields['payload'])
  })
  expect(new Set(payloads).size).toBe(5)
  for (const payload of payloads) expect(payload).toMatch(/^[0-9a-f]{512}$/)
})
