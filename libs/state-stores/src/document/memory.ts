import { inspect } from './bson.ts'
import type { Document, DocumentStore, InsertOutcome } from './port.ts'

const inserted: InsertOutcome = { outcome: 'inserted' }
const exists: InsertOutcome = { outcome: 'exists' }
const conflict: InsertOutcome = { outcome: 'conflict' }
const keptCommandTimes = 10_000

/** Documents in this process: gone when it ends. */
export function memoryDocumentStore({ now = () => performance.timeOrigin + performance.now() } = {}): DocumentStore {
  const documents = new Map<string, Buffer>()
  const firstOfType = new Map<string, Document>()
  const times: number[] = []
  let commands = 0n

  const insert = (document: Document): InsertOutcome => {
    const inspected = inspect(document)
    if ('reason' in inspected) return { outcome: 'invalid', reason: inspected.reason }
    const stored = documents.get(document.id)
    if (stored !== undefined) return stored.equals(document.bson) ? exists : conflict
    const copy = Buffer.from(document.bson)
    documents.set(document.id, copy)
    const { type } = inspected
    if (type !== undefined && !firstOfType.has(type)) firstOfType.set(type, { id: document.id, bson: copy })
    return inserted
  }

  return {
    async insertMany(batch) {
      if (batch.length === 0) return []
      commands++
      times.push(now())
      if (times.length > 2 * keptCommandTimes) times.splice(0, keptCommandTimes)
      return batch.map(insert)
    },
    get: async (ids) => ids.map((id) => documents.get(id)),
    findFirst: async ({ type }) => firstOfType.get(type),
    count: async () => documents.size,
    commands: async () => commands,
    commandTimes: async () => [...times],
    check: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
