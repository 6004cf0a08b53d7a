import { BSON, ObjectId, type Document as Fields } from 'bson'
import { type Document, type DocumentId, maxDocumentBytes } from './port.ts'

const idElement = Buffer.from('\x07_id\0', 'latin1')
const idOffset = 4 + idElement.length
const stringType = 2

/** What a store needs to know about a document, or why it can never take it. */
export type Inspected = { readonly type: string | undefined } | { readonly reason: string }

/** Encodes fields as a document; `_id` must be 24 hex digits and is written first. For tests and replay, not for a hot path. */
export function encodeDocument(id: DocumentId, fields: Readonly<Record<string, unknown>>): Document {
  return { id, bson: BSON.serialize({ _id: ObjectId.createFromHexString(id), ...fields }) }
}

/** The fields in extended-free form: `_id` as hex, dates as `Date`. */
export function decodeDocument(bson: Uint8Array): Fields {
  const fields = BSON.deserialize(bson)
  return { ...fields, _id: String(fields['_id']) }
}

/** Walks the elements of the document, so that nothing is stored that a driver could not read back. Cost: about a microsecond. */
export function inspect({ id, bson }: Document): Inspected {
  if (bson.byteLength > maxDocumentBytes) return { reason: `${bson.byteLength} bytes; at most ${maxDocumentBytes}` }
  const buffer = asBuffer(bson)
  if (!readsIdFirst(buffer)) return { reason: 'not a BSON document with an ObjectId _id as its first element' }
  if (buffer.toString('hex', idOffset, idOffset + 12) !== id) return { reason: 'its _id differs from its id' }
  try {
    return { type: typeOf(buffer) }
  } catch (error) {
    return { reason: `damaged BSON: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/**
 * Splits concatenated BSON documents, each delimited by its own length. Views, no copies.
 * Throws a RangeError that names the offset where a length leads out of the bytes.
 */
export function splitDocuments(bytes: Uint8Array): Document[] {
  const buffer = asBuffer(bytes)
  const documents: Document[] = []
  for (let offset = 0; offset < buffer.length;) {
    const length = buffer.length - offset < idOffset + 13 ? 0 : buffer.readInt32LE(offset)
    if (length < idOffset + 13 || length > buffer.length - offset) {
      throw new RangeError(`no document at byte ${offset} of ${buffer.length}`)
    }
    const bson = buffer.subarray(offset, offset + length)
    documents.push({ id: bson.toString('hex', idOffset, idOffset + 12), bson })
    offset += length
  }
  return documents
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readsIdFirst(buffer: Buffer): boolean {
  return (
    buffer.length >= idOffset + 13 &&
    buffer.readInt32LE(0) === buffer.length &&
    buffer.compare(idElement, 0, idElement.length, 4, idOffset) === 0
  )
}

function typeOf(buffer: Buffer): string | undefined {
  let type: string | undefined
  for (const [kind, nameOffset, nameLength, offset, length] of BSON.onDemand.parseToElements(buffer)) {
    if (type !== undefined || kind !== stringType || nameLength !== 4) continue
    if (buffer.toString('latin1', nameOffset, nameOffset + 4) === 'type') {
      type = buffer.toString('utf8', offset + 4, offset + length - 1)
    }
  }
  return type
}
