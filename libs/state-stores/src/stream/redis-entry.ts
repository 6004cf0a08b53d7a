import { createHash } from 'node:crypto'
import { EJSON, ObjectId } from 'bson'
import { encodeDocument } from '../document/bson.ts'
import { damage } from './checksum.ts'
import { asBytes, asList, asText } from '../redis/reply.ts'
import type { RedisReply } from '../redis/connection.ts'

/** Our entries have the fields v (this version), n (documents), f (first id or nothing), b (documents as BSON) and, since they carry one, c (checksum of b). */
export const entryVersion = '1'

export interface DecodedEntry {
  readonly documents: number
  readonly body: Uint8Array
  readonly damaged?: string
}

/** An entry that a newer release wrote: left to its consumers. */
export class LaterFormatError extends Error {
  override readonly name = 'LaterFormatError'
}

/**
 * Reads the fields of an entry: ours, or in the form of the seed system one field `data` with a document as JSON. What is
 * neither comes back as its own text, which is no BSON, so that whoever reads it puts the whole entry among the dead.
 */
export function decodeEntry(id: string, reply: RedisReply | undefined): DecodedEntry {
  const list = asList(reply)
  const fields = new Map<string, Buffer>()
  for (let index = 0; index + 1 < list.length; index += 2) fields.set(asText(list[index]), asBytes(list[index + 1]))
  const [version, count, body, sum, data] = ['v', 'n', 'b', 'c', 'data'].map((name) => fields.get(name))
  if (version !== undefined && count !== undefined && body !== undefined) {
    const [format, documents] = [version.toString(), count.toString()]
    if (format === entryVersion) {
      if (!/^\d{1,9}$/.test(documents)) {
        return {
          documents: 1,
          body,
          damaged: `the entry holds ${JSON.stringify(documents)} documents, which is no number`,
        }
      }
      const entry = { documents: Number(documents), body }
      const damaged = damage(body, sum?.toString() ?? '')
      return damaged === undefined ? entry : { ...entry, damaged }
    }
    // Any other word is a program's that has nothing to do with this queue.
    if (/^[1-9]\d{0,8}$/.test(format)) {
      throw new LaterFormatError(`stream entry ${id} has format ${format}; this release reads format ${entryVersion}`)
    }
  }
  const document = data === undefined ? undefined : fromJson(id, data.toString())
  return { documents: 1, body: document ?? Buffer.from(JSON.stringify([...fields].map((pair) => pair.map(String)))) }
}

/** The documents of an entry, or something that is no BSON: a sentence for the format of a newer release. */
export function bodyForAudit(id: string, reply: RedisReply | undefined): Uint8Array {
  try {
    return decodeEntry(id, reply).body
  } catch (error) {
    if (!(error instanceof LaterFormatError)) throw error
    return Buffer.from(error.message)
  }
}

/** Undefined when it is no JSON object, or its `_id` is no ObjectId. */
function fromJson(entry: string, json: string): Uint8Array | undefined {
  try {
    const fields: unknown = EJSON.parse(json)
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return undefined
    const given = '_id' in fields ? fields['_id'] : derivedId(entry)
    const id = given instanceof ObjectId ? given.toHexString() : given
    if (typeof id !== 'string' || !/^[0-9a-f]{24}$/.test(id)) return undefined
    const { _id: _, ...rest } = { _id: undefined, ...fields }
    return encodeDocument(id, rest).bson
  } catch {
    return undefined
  }
}

/** The same at every delivery, so that a document stored before a crash is recognised after it. */
function derivedId(entry: string): string {
  const seconds = Math.floor(Number.parseInt(entry, 10) / 1000)
  return seconds.toString(16).padStart(8, '0').slice(-8) + createHash('sha256').update(entry).digest('hex').slice(0, 16)
}
