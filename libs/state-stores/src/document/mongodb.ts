import { type Collection, MongoClient, ObjectId } from 'mongodb'
import { asBuffer, inspect, splitDocuments } from './bson.ts'
import { classified, isTemporary, startError } from './mongodb-errors.ts'
import { insertCommand, type WriteError } from './mongodb-insert.ts'
import { type MongoTarget, parseMongoUrl } from './mongodb-target.ts'
import type { Document, DocumentStore, InsertOutcome } from './port.ts'

const inserted: InsertOutcome = { outcome: 'inserted' }
const duplicateKey = 11_000
/** Refusals of a document that will be the same at every try: BadValue, DollarPrefixedFieldName, DocumentValidationFailure, too large. */
const forGood = new Set([2, 52, 121, 10_334])
const readTimeoutMs = 5000
/** A server counts about a million documents a second, and half a processor a tenth of that. */
const countTimeoutMs = 120_000

/**
 * Documents in a MongoDB collection: `mongodb://host:27017/assessmentdb/records`.
 *
 * `insertMany` is one write command with `{w: 'majority', j: true}`; while it finds documents there already, one `find` tells
 * whether they are the same. The driver retries nothing. Time-outs of the URL (`socketTimeoutMS`, `serverSelectionTimeoutMS`,
 * `connectTimeoutMS`) win over 20, 5 and 5 seconds. Documents which others wrote into the collection are left alone.
 * `commands` counts those of this handle, because a server counts for all its databases. `count` reads the whole index.
 */
export async function mongodbDocumentStore({ url }: { readonly url: string }): Promise<DocumentStore> {
  const target = parseMongoUrl(url)
  const client = await connect(target)
  const db = client.db(target.database)
  const collection: Collection = db.collection(target.collection)
  let commands = 0n

  const guarded = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      throw classified(error, target.label)
    }
  }
  const read = async (ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> => {
    if (ids.length === 0) return new Map()
    const found = collection.find(
      { _id: { $in: ids.map((id) => ObjectId.createFromHexString(id)) } },
      { raw: true, maxTimeMS: readTimeoutMs },
    )
    return new Map((await found.toArray()).map((raw): [string, Buffer] => [idOf(raw), Buffer.from(bytesOf(raw))]))
  }

  const insert = async (documents: readonly Document[]): Promise<readonly InsertOutcome[]> => {
    commands++
    const refused = new Map<number, WriteError>()
    for (const error of await insertCommand(db, target.collection, documents, readTimeoutMs))
      refused.set(error.index, error)
    const duplicates = [...refused.values()].filter(isDuplicateId).map(({ index }) => documents[index]?.id ?? '')
    const stored = await read([...new Set(duplicates)])
    return documents.map(({ id, bson }, index) => {
      const error = refused.get(index)
      if (error === undefined) return inserted
      if (isDuplicateId(error)) {
        const other = stored.get(id)
        if (other === undefined) throw new Error(`${target.label}: document ${id} was there and is not found`)
        return { outcome: other.equals(bson) ? 'exists' : 'conflict' }
      }
      // Another unique index of the user refuses it, now and later.
      if (error.code === duplicateKey || forGood.has(error.code)) return { outcome: 'invalid', reason: error.message }
      return { outcome: 'refused', reason: `${error.message} (code ${error.code})`, temporary: isTemporary(error.code) }
    })
  }

  return {
    async insertMany(batch) {
      const reasons = batch.map((document) => {
        const inspected = inspect(document)
        return 'reason' in inspected ? inspected.reason : undefined
      })
      const valid = batch.filter((_, index) => reasons[index] === undefined)
      const outcomes = valid.length === 0 ? [] : await guarded(() => insert(valid))
      let next = 0
      return reasons.map((reason) => {
        if (reason !== undefined) return { outcome: 'invalid', reason }
        const outcome = outcomes[next++]
        if (outcome === undefined) throw new TypeError('an insert answered for fewer documents than it was given')
        return outcome
      })
    },
    get: (ids) =>
      guarded(async () => {
        const stored = await read(ids)
        return ids.map((id) => stored.get(id))
      }),
    findFirst: ({ type }) =>
      guarded(async () => {
        // Others may keep documents with another kind of _id beside ours. A limit, not a cursor: what is not read need not be found.
        const raw = await collection.findOne(
          { type, _id: { $type: 'objectId' } },
          { raw: true, maxTimeMS: readTimeoutMs },
        )
        return raw === null ? undefined : { id: idOf(raw), bson: Buffer.from(bytesOf(raw)) }
      }),
    count: () => guarded(() => collection.countDocuments({}, { timeoutMS: countTimeoutMs })),
    commands: async () => commands,
    check: () => guarded(async () => void (await db.command({ ping: 1 }))),
    close: () => client.close(),
    [Symbol.asyncDispose]: () => client.close(),
  }
}

async function connect(target: MongoTarget): Promise<MongoClient> {
  const timeouts = {
    serverSelectionTimeoutMS: 5000,
    connectTimeoutMS: 5000,
    socketTimeoutMS: 20_000,
    waitQueueTimeoutMS: 5000,
  }
  const own = Object.fromEntries(Object.entries(timeouts).filter(([name]) => !target.given.has(name)))
  try {
    const client = new MongoClient(target.uri, { appName: 'ballast', ...own, retryWrites: false, retryReads: false })
    try {
      await client.connect()
      const hello = await client.db(target.database).command({ isMaster: 1 })
      if (hello['ismaster'] === false) throw new Error('is not the primary of its replica set; name all members')
      await client.db(target.database).collection(target.collection).findOne({}, { maxTimeMS: readTimeoutMs })
      return client
    } catch (error) {
      await client.close()
      throw error
    }
  } catch (error) {
    throw startError(error, target.label)
  }
}

/** Only the server's own index says that the document is there; its message names the index before any content of the document. */
const isDuplicateId = ({ code, message }: WriteError): boolean =>
  code === duplicateKey && message.split(' dup key: ')[0]?.endsWith(' index: _id_') === true

function bytesOf(raw: unknown): Uint8Array {
  if (raw instanceof Uint8Array) return raw
  throw new TypeError('the driver returned a document that is no BSON')
}

function idOf(raw: unknown): string {
  const [document] = safeSplit(asBuffer(bytesOf(raw)))
  return document?.id ?? ''
}

function safeSplit(bytes: Buffer): readonly Document[] {
  try {
    return splitDocuments(bytes)
  } catch {
    return []
  }
}
