import { setImmediate } from 'node:timers/promises'
import {
  encodeDocument,
  type Document,
  openDocumentStore,
  type DocumentStore,
  type InsertOutcome,
} from '@ballast/state-stores/document'
import { openStream, type WriteStream } from '@ballast/state-stores/stream'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { Flusher, type FlusherOptions } from './flusher.ts'

const document = (n: number, text = ''): Document => encodeDocument(n.toString(16).padStart(24, '0'), { n, text })
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

/** A queue and a store in memory under one clock that only sleeping moves. */
async function setUp(options: Partial<FlusherOptions> = {}) {
  const clock = { nowMs: 1_800_000_000_000 }
  const now = (): number => clock.nowMs
  const stream = await openStream('memory:', { now, claimTimeoutMs: 5000, bounds: { maxOldestAgeMs: Infinity } })
  const documents = await openDocumentStore('memory:')
  const commandTimes: number[] = []
  const failures: number[] = []
  const sleeps: number[] = []
  /** Throw here to fail the store before or after it has stored. */
  const faults: { before: (documents: number) => void; after: () => void } = { before: () => {}, after: () => {} }
  /** Ids of documents that the store refuses for reasons of its own. */
  const poison = new Map<string, { temporary: boolean }>()
  const counting: DocumentStore = {
    ...documents,
    async insertMany(batch) {
      faults.before(batch.length)
      commandTimes.push(clock.nowMs)
      clock.nowMs += 1
      const taken = await documents.insertMany(batch.filter(({ id }) => !poison.has(id)))
      let next = 0
      const outcomes = batch.map(({ id }): InsertOutcome => {
        const refusal = poison.get(id)
        const outcome =
          refusal === undefined ? taken[next++] : { outcome: 'refused' as const, reason: 'odd', ...refusal }
        if (outcome === undefined) throw new Error('too few outcomes')
        return outcome
      })
      faults.after()
      return outcomes
    },
  }
  const flusher = new Flusher({
    stream,
    documents: counting,
    incarnation: 'me',
    commandsPerSecond: 100,
    maxBatchDocuments: 1000,
    maxBatchBytes: 1_000_000,
    commandTargetMs: 1000,
    batchDelayMs: 0,
    maxTakeovers: 3,
    observe: {
      command: () => {},
      settled: () => {},
      notOwner: () => {},
      failed: (_error, _failures, retryInMs) => void failures.push(retryInMs),
    },
    now,
    sleep: async (ms) => {
      sleeps.push(ms)
      clock.nowMs += ms
      // A loop of promises alone would let nobody else run.
      await setImmediate()
    },
    ...options,
  })
  return { clock, stream, documents, flusher, commandTimes, failures, faults, poison, sleeps }
}

async function append(stream: WriteStream, ...groups: Document[][]): Promise<void> {
  await stream.append(
    groups.map((group) => ({ documents: group.length, body: Buffer.concat(group.map(({ bson }) => bson)) })),
  )
}

test('one round is one command, however many entries there are, and settles them all', async () => {
  const { stream, documents, flusher } = await setUp()
  await append(stream, ...range(0, 50).map((n) => [document(2 * n), document(2 * n + 1)]))
  await flusher.round()
  expect(await documents.count()).toBe(100)
  expect(await documents.commands()).toBe(1n)
  expect(await stream.backlog()).toMatchObject({ entries: 0, settledDocuments: 100n })
})

test('an entry is not acknowledged before the store has answered', async () => {
  const { stream, flusher, faults } = await setUp()
  await append(stream, [document(1)])
  let queuedDuringInsert = -1
  const { promise: looked, resolve } = Promise.withResolvers<void>()
  faults.before = () => {
    void stream.backlog().then(({ entries }) => ((queuedDuringInsert = entries), resolve()))
  }
  await flusher.round()
  await looked
  expect(queuedDuringInsert).toBe(1)
})

test('a store that fails keeps its entries queued, whether it had stored them or not', async () => {
  for (const when of ['before', 'after'] as const) {
    const { stream, documents, flusher, faults } = await setUp()
    await append(stream, [document(1), document(2)], [document(3)])
    faults[when] = () => {
      throw new Error('store is away')
    }
    await expect(flusher.round()).rejects.toThrow('store is away')
    expect((await stream.backlog()).entries).toBe(2)
    faults[when] = () => {}
    await flusher.round()
    expect(await documents.count()).toBe(3)
    expect(await stream.backlog()).toMatchObject({ entries: 0, deadLetters: 0 })
  }
})

test('a document whose _id is stored with other content is dead, its neighbours are stored', async () => {
  const { stream, documents, flusher } = await setUp()
  await documents.insertMany([document(1, 'first')])
  await append(stream, [document(1, 'second'), document(2)], [document(3)])
  await flusher.round()
  expect(await documents.count()).toBe(3)
  const letters = await stream.deadLetters({ limit: 10 })
  expect(letters).toMatchObject([{ id: document(1).id, reason: expect.stringContaining('conflict') }])
  expect((await stream.backlog()).entries).toBe(0)
})

test('large batches are cut into several commands and an entry waits for its last one', async () => {
  const { stream, documents, flusher, faults } = await setUp({ maxBatchDocuments: 10 })
  await append(
    stream,
    range(0, 25).map((n) => document(n)),
  )
  let commands = 0
  faults.before = () => {
    if (++commands === 3) throw new Error('third')
  }
  await expect(flusher.round()).rejects.toThrow('third')
  expect(await stream.backlog()).toMatchObject({ entries: 1 })
  expect(await documents.count()).toBe(20)
  await flusher.round()
  expect(await documents.count()).toBe(25)
  expect((await stream.backlog()).entries).toBe(0)
})

test('no sliding second holds more commands than the cap, and a steady queue uses most of it', async () => {
  const { stream, flusher, clock, commandTimes } = await setUp({ maxBatchDocuments: 1 })
  await append(
    stream,
    range(0, 400).map((n) => document(n)),
  )
  const startedMs = clock.nowMs
  await flusher.round()
  expect(commandTimes).toHaveLength(400)
  for (const from of commandTimes) {
    expect(commandTimes.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(100)
  }
  expect(400 / ((clock.nowMs - startedMs) / 1000)).toBeGreaterThan(80)
})

test('while a store fails the pauses grow, probes are single entries, and success ends both', async () => {
  const { stream, documents, flusher, failures, faults } = await setUp()
  await append(stream, [document(1)], [document(2)], [document(3)])
  const stop = new AbortController()
  let commands = 0
  faults.before = () => {
    if (++commands <= 9) throw new Error('away')
    if (commands === 11) stop.abort()
  }
  await flusher.run(stop.signal)
  expect(failures).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  expect(flusher.failures).toBe(0)
  expect(await documents.count()).toBe(3)
})

test('a store that cannot finish a large batch in time gets smaller ones, and the queue empties', async () => {
  const { stream, documents, flusher, faults } = await setUp()
  await append(stream, ...range(0, 300).map((n) => [document(n)]))
  const batches: number[] = []
  faults.before = (size) => {
    batches.push(size)
    if (size > 20) throw new Error('timed out')
  }
  const stop = new AbortController()
  const running = flusher.run(stop.signal)
  await waitUntil(async () => (await stream.backlog()).entries === 0)
  stop.abort()
  await running
  expect(await documents.count()).toBe(300)
  expect(batches.slice(0, 7)).toEqual([300, 1, 2, 4, 8, 16, 32])
})

/** Documents in entries of a hundred against a store which takes so long for a command, and answers nobody after twenty seconds. */
async function drainSlowly(msOf: (documents: number) => number, entries = 50) {
  const { clock, stream, documents, flusher, faults, failures } = await setUp({ maxBatchBytes: 8e6 })
  await append(
    stream,
    ...range(0, entries).map((n) => range(100 * n, 100 * n + 100).map((id) => document(id, 'x'.repeat(550)))),
  )
  const batches: number[] = []
  faults.before = (size) => {
    batches.push(size)
    clock.nowMs += Math.min(20_000, msOf(size))
    if (msOf(size) > 20_000) throw new Error('timed out')
  }
  const startedMs = clock.nowMs
  const stop = new AbortController()
  const running = flusher.run(stop.signal)
  await waitUntil(async () => (await stream.backlog()).entries === 0)
  const tookMs = clock.nowMs - startedMs
  stop.abort()
  await running
  expect(await documents.count()).toBe(100 * entries)
  return { batches, failures, tookMs }
}

test('a store that takes long for each document gets what it does in about a second, and no command times out', async () => {
  const { batches, failures, tookMs } = await drainSlowly((size) => 10 * size)
  expect(failures).toEqual([])
  expect(Math.max(...batches)).toBeLessThan(250)
  // What all of them take in any case, and a little for what each command takes besides.
  expect(tookMs).toBeLessThan(60_000)
})

test('a store that cannot do one entry in time gets it in parts, after the first failures', async () => {
  const { batches, failures } = await drainSlowly((size) => 600 * size, 5)
  expect(failures).toEqual([100, 200])
  expect(batches.slice(0, 3)).toEqual([111, 55, 27])
})

test('a store that takes a second for each command gets many documents with each, and no command times out', async () => {
  const { batches, failures } = await drainSlowly(() => 1000)
  expect(failures).toEqual([])
  expect(batches.length).toBeLessThan(15)
})

test('who stops while the store fails gives his entries back at once', async () => {
  const { stream, flusher, faults } = await setUp()
  await append(stream, [document(1)])
  const stop = new AbortController()
  faults.before = () => {
    stop.abort()
    throw new Error('away')
  }
  await flusher.run(stop.signal)
  const others = await stream.claim('other', { maxEntries: 10, maxBytes: 1000, waitMs: 0 })
  expect(others).toMatchObject([{ takeovers: 0, delivery: 2 }])
})

test('entries of a dead consumer are taken over, and what it had stored is not doubled', async () => {
  const { stream, documents, flusher, clock } = await setUp()
  await append(stream, [document(1), document(2)])
  await stream.claim('dead', { maxEntries: 10, maxBytes: 1000, waitMs: 0 })
  await documents.insertMany([document(1)])
  clock.nowMs += 5001
  await flusher.round()
  expect(await documents.count()).toBe(2)
  expect((await stream.backlog()).entries).toBe(0)
})

test('a document that the store refuses again and again holds up nobody, and is dead after ten times', async () => {
  const { stream, documents, flusher, poison, failures } = await setUp()
  poison.set(document(0).id, { temporary: false })
  await append(stream, [document(0), document(1)], ...range(2, 21).map((n) => [document(n)]))
  await flusher.round()
  expect(await documents.count()).toBe(20)
  expect((await stream.backlog()).entries).toBe(1)
  const stop = new AbortController()
  const running = flusher.run(stop.signal)
  await waitUntil(async () => (await stream.backlog()).entries === 0)
  stop.abort()
  await running
  // Alone it is a failure of the store, with its pauses; the first refusal came beside others.
  expect(failures).toHaveLength(8)
  expect(await stream.deadLetters({ limit: 10 })).toMatchObject([
    { id: document(0).id, reason: 'refused 10 times: odd', deliveries: 10 },
  ])
})

test('while nothing but a refused entry is left, probes leave room for what comes, and it is written', async () => {
  const { stream, documents, flusher, poison } = await setUp()
  poison.set(document(0).id, { temporary: true })
  await append(stream, [document(0)])
  const stop = new AbortController()
  const running = flusher.run(stop.signal)
  await waitUntil(() => flusher.failures > 12)
  await append(stream, ...range(1, 5).map((n) => [document(n)]))
  await waitUntil(async () => (await documents.count()) === 4)
  // The store was to blame each time, so it is never given up.
  expect(await stream.backlog()).toMatchObject({ entries: 1, deadLetters: 0 })
  poison.clear()
  await waitUntil(async () => (await stream.backlog()).entries === 0)
  stop.abort()
  await running
  expect(await documents.count()).toBe(5)
})

test('who stops gives back what was refused', async () => {
  const { stream, flusher, poison } = await setUp()
  poison.set(document(0).id, { temporary: false })
  await append(stream, [document(0)], [document(1)])
  const stop = new AbortController()
  await flusher.round()
  stop.abort()
  await flusher.run(stop.signal)
  expect(await stream.claim('other', { maxEntries: 10, maxBytes: 1000, waitMs: 0 })).toMatchObject([{ delivery: 2 }])
})
