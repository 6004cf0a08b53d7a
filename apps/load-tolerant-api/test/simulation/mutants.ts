import { decodeDocument, encodeDocument, ObjectIds } from '@ballast/state-stores/document'
import type { AppendOutcome, Entry } from '@ballast/state-stores/stream'
import type { Mutant } from './simulate.ts'

const appended: AppendOutcome = { outcome: 'appended', durability: { fsyncedLocal: true, replicas: 0 } }
const ids = new ObjectIds()

/** What public write-behind systems do wrong, each in a few lines. The simulation must catch every one of them. */
export const mutants: Readonly<Record<string, Mutant>> = {
  'the client is answered before the queue has it': ({ stream, documents }, onCrash) => {
    let buffered: Entry[] = []
    onCrash(() => (buffered = []))
    const flush = async (): Promise<void> => void (await stream.append(buffered.splice(0)))
    return {
      documents,
      stream: {
        ...stream,
        async append(entries) {
          if (buffered.length > 1) await flush()
          buffered.push(...entries.map((entry) => ({ ...entry, body: Buffer.from(entry.body) })))
          return entries.map(() => appended)
        },
        async claim(owner, request) {
          if (buffered.length > 0) await flush()
          return stream.claim(owner, request)
        },
      },
    }
  },

  'the queue is told before the store has answered': ({ stream, documents }) => ({
    documents,
    stream: {
      ...stream,
      async claim(owner, request) {
        const claims = await stream.claim(owner, request)
        await stream.acknowledge(claims)
        return claims
      },
    },
  }),

  'the queue is told of batches that failed': ({ stream, documents }) => {
    let held: Parameters<typeof stream.acknowledge>[0] = []
    return {
      stream: {
        ...stream,
        async claim(owner, request) {
          await stream.acknowledge(held)
          held = await stream.claim(owner, request)
          return held
        },
      },
      documents,
    }
  },

  'each try has an _id of its own': ({ stream, documents }) => ({
    stream,
    documents: {
      ...documents,
      insertMany: (batch) =>
        documents.insertMany(
          batch.map(({ bson }) => {
            const { _id, ...fields } = decodeDocument(bson)
            return encodeDocument(ids.hex(ids.reserve(1, Date.now()), 0), { was: String(_id), ...fields })
          }),
        ),
    },
  }),

  'the queue has a MAXLEN': ({ stream, documents }) => ({
    documents,
    stream: {
      ...stream,
      async append(entries) {
        const outcomes = await stream.append(entries)
        const { entries: length } = await stream.backlog()
        if (length > 3) {
          const oldest = await stream.claim('MAXLEN', { maxEntries: length - 3, maxBytes: 1e9, waitMs: 0 })
          await stream.acknowledge(oldest)
        }
        return outcomes
      },
    },
  }),

  'a refused document is dropped': ({ stream, documents }) => ({
    stream,
    documents: {
      ...documents,
      insertMany: async (batch) => {
        await documents.insertMany(batch.slice(1))
        return batch.map(() => ({ outcome: 'inserted' }))
      },
    },
  }),
}
