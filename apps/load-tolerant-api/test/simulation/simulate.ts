import { type DocumentStore, ObjectIds, openDocumentStore } from '@ballast/state-stores/document'
import { OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { openPartitions, type WriteStream } from '@ballast/state-stores/stream'
import { Flusher } from '../../src/flusher.ts'
import { type Report, verify } from '../../src/verify.ts'
import { Writer } from '../../src/writer.ts'

export interface Stores {
  readonly stream: WriteStream
  readonly documents: DocumentStore
}

/** Puts a fault of thinking into the stores; `crash` is told each time the api dies. */
export type Mutant = (stores: Stores, onCrash: (forget: () => void) => void) => Stores

const claimTimeoutMs = 5000
const rounds = 40
const requestsPerRound = 5

/**
 * The api's writer and the consumer's flusher over stores in memory, under one clock: stores that fail before and after they
 * did what they were told, an api and consumers that die at any moment. Then everything may drain, and `verify` judges.
 * Every other seed has its queue in three partitions.
 */
export async function simulate(seed: number, mutant: Mutant = (stores) => stores): Promise<Report> {
  const next = randomFrom(seed)
  const clock = { nowMs: 1_800_000_000_000 }
  const now = (): number => clock.nowMs
  const real = {
    stream: await openPartitions('memory:', { now, claimTimeoutMs, partitions: seed % 2 === 0 ? 3 : 1 }),
    documents: await openDocumentStore('memory:'),
  }
  const forgotten: (() => void)[] = []
  const used = mutant(real, (forget) => void forgotten.push(forget))
  let calm = false
  const fail = (): void => {
    if (!calm && next() < 0.2) throw new OutcomeUnknownError('no answer')
  }
  const stream: WriteStream = {
    ...used.stream,
    async append(entries) {
      fail()
      const outcomes = await used.stream.append(entries)
      fail()
      return outcomes
    },
    // No waiting: the clock stands still meanwhile.
    claim: (owner, request) => used.stream.claim(owner, { ...request, waitMs: 0 }),
    async acknowledge(claims) {
      fail()
      const outcomes = await used.stream.acknowledge(claims)
      fail()
      return outcomes
    },
  }
  const documents: DocumentStore = {
    ...used.documents,
    async insertMany(batch) {
      fail()
      const outcomes = await used.documents.insertMany(batch)
      fail()
      return outcomes
    },
  }
  const acknowledged: string[] = []
  let unknown = 0
  let writer = new Writer({ stream, maxEntryBytes: 256 * 1024, now, ids: new ObjectIds() })
  let incarnations = 0
  const born = (): Flusher => newFlusher(stream, documents, `consumer ${incarnations++}`, clock)
  let consumer = born()

  for (let round = 0; round < rounds; round++) {
    const requests = Array.from({ length: requestsPerRound }, async () => {
      try {
        const { group } = await writer.write()
        acknowledged.push(...Array.from({ length: 5 }, (_, index) => writer.id(group, index)))
      } catch {
        unknown++
      }
    })
    await Promise.all(requests)
    if (next() < 0.2) {
      for (const forget of forgotten) forget()
      writer = new Writer({ stream, maxEntryBytes: 256 * 1024, now, ids: new ObjectIds() })
    }
    if (next() < 0.5) await consumer.round().catch(() => {})
    if (next() < 0.2) consumer = born()
    clock.nowMs += next() * 2000
  }
  calm = true
  for (let left = 100; left > 0 && (await real.stream.backlog()).entries > 0; left--) {
    clock.nowMs += claimTimeoutMs + 1
    await consumer.round()
  }
  return verify({ ...real, acknowledged, allowQueued: false, maxUnacknowledged: unknown * 5 })
}

const nothing = (): void => {}

function newFlusher(
  stream: WriteStream,
  documents: DocumentStore,
  incarnation: string,
  clock: { nowMs: number },
): Flusher {
  return new Flusher({
    stream,
    documents,
    incarnation,
    commandsPerSecond: 100,
    maxBatchDocuments: 12,
    maxBatchBytes: 1_000_000,
    commandTargetMs: 1000,
    batchDelayMs: 0,
    maxTakeovers: 3,
    observe: { command: nothing, settled: nothing, notOwner: nothing, failed: nothing },
    now: () => clock.nowMs,
    sleep: async (ms) => void (clock.nowMs += ms),
  })
}

/** mulberry32: 0 to 1, 1 excluded. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
