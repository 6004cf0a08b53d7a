import { createHash } from 'node:crypto'
import { openLmdb } from '../lmdb-environment.ts'
import { inspect } from './bson.ts'
import type { Document, DocumentStore, InsertOutcome } from './port.ts'

const inserted: InsertOutcome = { outcome: 'inserted' }
const exists: InsertOutcome = { outcome: 'exists' }
const conflict: InsertOutcome = { outcome: 'conflict' }
/** A stored document is this byte and its BSON. */
const version = 1
const keptCommandTimes = 10_000

interface Meta {
  readonly version: 1
  readonly documents: number
  /** Write commands since the store was created. */
  readonly commands: number
}

/**
 * Documents in an LMDB environment on a local disk, shared by the processes of one machine.
 *
 * `insertMany` is one write transaction and one fsync; the counters and the time of the command are written in the
 * same step. LMDB has no check sums, but a repeated insert compares bytes.
 */
export async function lmdbDocumentStore({
  path,
  now = () => performance.timeOrigin + performance.now(),
}: {
  readonly path: string
  readonly now?: () => number
}): Promise<DocumentStore> {
  const environment = await openLmdb({ path })
  const documents = environment.table('documents')
  const meta = environment.table('meta')
  /** Type -> id. */
  const firstOfType = environment.table('first-of-type')
  /** A ring: command number modulo its length -> f64, unix ms. */
  const commandTimes = environment.table('command-times')

  const readMeta = (): Meta => {
    const stored = meta.get(metaKey)
    return stored === undefined ? { version: 1, documents: 0, commands: 0 } : JSON.parse(stored.toString())
  }
  /** For reads outside a transaction: without the refresh they could answer from a snapshot older than the call. */
  const latest = <T>(read: () => T): T => {
    environment.refresh()
    return read()
  }
  const bsonOf = (id: string): Buffer | undefined => {
    const stored = documents.get(Buffer.from(id, 'hex'))
    if (stored === undefined) return undefined
    if (stored[0] !== version) {
      throw new Error(`document ${id} has format ${stored[0]}; this release reads format ${version}`)
    }
    return stored.subarray(1)
  }
  const insert = (document: Document): InsertOutcome => {
    const inspected = inspect(document)
    if ('reason' in inspected) return { outcome: 'invalid', reason: inspected.reason }
    const stored = bsonOf(document.id)
    if (stored !== undefined) return stored.equals(document.bson) ? exists : conflict
    const value = Buffer.allocUnsafe(1 + document.bson.byteLength)
    value[0] = version
    value.set(document.bson, 1)
    documents.put(Buffer.from(document.id, 'hex'), value)
    const { type } = inspected
    if (type !== undefined && firstOfType.get(typeKey(type)) === undefined) {
      firstOfType.put(typeKey(type), Buffer.from(document.id))
    }
    return inserted
  }

  return {
    async insertMany(batch) {
      if (batch.length === 0) return []
      return environment.transact(() => {
        const before = readMeta()
        const outcomes = batch.map(insert)
        const added = outcomes.filter((outcome) => outcome === inserted).length
        const after: Meta = { version: 1, documents: before.documents + added, commands: before.commands + 1 }
        meta.put(metaKey, Buffer.from(JSON.stringify(after)))
        commandTimes.put(ringKey(before.commands), timeValue(now()))
        return outcomes
      })
    },
    get: async (ids) => latest(() => ids.map(bsonOf)),
    findFirst: async ({ type }) =>
      latest(() => {
        const id = firstOfType.get(typeKey(type))?.toString()
        const bson = id === undefined ? undefined : bsonOf(id)
        return id === undefined || bson === undefined ? undefined : { id, bson }
      }),
    count: async () => latest(() => readMeta().documents),
    commands: async () => latest(() => BigInt(readMeta().commands)),
    commandTimes: async () =>
      latest(() => Array.from(commandTimes.range(), ({ value }) => value.readDoubleBE()).toSorted((a, b) => a - b)),
    check: async () => {
      environment.check()
      latest(readMeta)
    },
    close: () => environment.close(),
    [Symbol.asyncDispose]: () => environment.close(),
  }
}

const metaKey = Buffer.from('meta')

function ringKey(command: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeUInt32BE(command % keptCommandTimes)
  return key
}

function timeValue(ms: number): Buffer {
  const value = Buffer.alloc(8)
  value.writeDoubleBE(ms)
  return value
}

/** LMDB keys end at 1,978 bytes. */
function typeKey(type: string): Buffer {
  return Buffer.from(type.length <= 256 ? `=${type}` : `#${createHash('sha256').update(type).digest('hex')}`)
}
