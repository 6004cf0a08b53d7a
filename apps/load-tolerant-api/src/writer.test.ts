import { ObjectIds, splitDocuments } from '@ballast/state-stores/document'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { openStream, type Entry, type WriteStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { groupBytes } from './write-group.ts'
import { Writer } from './writer.ts'

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A stream whose appends wait until they are let go. */
async function setUp(options: { maxEntryBytes?: number; ids?: ObjectIds } = {}) {
  const inner = await openStream('memory:')
  const appends: { entries: readonly Entry[]; go: () => void }[] = []
  const stream: WriteStream = {
    ...inner,
    async append(entries) {
      const { promise, resolve } = Promise.withResolvers<void>()
      appends.push({ entries, go: resolve })
      await promise
      return inner.append(entries)
    },
  }
  const writer = new Writer({ stream, maxEntryBytes: 256 * 1024, ...options })
  return { inner, appends, writer }
}

test('requests that come during an append share the next one, in one entry', async () => {
  const { inner, appends, writer } = await setUp()
  const writes = Array.from({ length: 21 }, () => writer.write())
  await turn()
  const late = [writer.write(), writer.write()]
  expect(appends.map(({ entries }) => entries.map(({ documents }) => documents))).toEqual([[105]])
  appends[0]?.go()
  await Promise.all(writes)
  await turn()
  expect(appends[1]?.entries.map(({ documents }) => documents)).toEqual([10])
  appends[1]?.go()
  const written = await Promise.all([...writes, ...late])
  const queued = (await inner.queued({ limit: 10 })).flatMap(({ body }) => splitDocuments(body).map(({ id }) => id))
  const told = written.flatMap(({ group }): string[] => JSON.parse(writer.idsAsJson(group)))
  expect(queued).toEqual(told)
})

test('nobody is told before the queue has it', async () => {
  const { appends, writer } = await setUp()
  let answered = false
  const write = writer.write().then(() => (answered = true))
  await turn()
  expect(answered).toBe(false)
  appends[0]?.go()
  await write
})

test('an entry ends when it is full and where the counter of the ids wraps', async () => {
  const ids = new ObjectIds(Buffer.from('0000000000ffffec', 'hex'))
  const { appends, writer } = await setUp({ maxEntryBytes: 3 * groupBytes + 1, ids })
  const writes = Array.from({ length: 8 }, () => writer.write())
  await turn()
  const entries = appends[0]?.entries ?? []
  expect(entries.map(({ documents }) => documents)).toEqual([15, 5, 15, 5])
  expect(entries.map(({ firstId }) => firstId?.slice(18))).toEqual(['ffffec', 'fffffb', '000000', '00000f'])
  appends[0]?.go()
  await Promise.all(writes)
})

test('each request is told what became of its own entry', async () => {
  const memory = await openStream('memory:')
  const durability = { fsyncedLocal: true, replicas: 0 }
  const stream: WriteStream = {
    ...memory,
    append: async (entries) =>
      entries.map((_, index) =>
        index === 1 ? { outcome: 'full', bound: 'bytes' } : { outcome: 'appended', durability },
      ),
  }
  await using writer = new Writer({ stream, maxEntryBytes: 2 * groupBytes, ids: new ObjectIds(Buffer.alloc(8)) })
  const written = await Promise.all(Array.from({ length: 6 }, () => writer.write()))
  const outcomes = written.map(({ outcome }) => outcome.outcome)
  expect(outcomes).toEqual(['appended', 'appended', 'full', 'full', 'appended', 'appended'])
})

test.each([OutcomeUnknownError, NotAppliedError])(
  'what a failed append holds is never written over: %o',
  async (Failure) => {
    const memory = await openStream('memory:')
    const held: (readonly Entry[])[] = []
    const stream: WriteStream = {
      ...memory,
      async append(entries) {
        held.push(entries)
        if (held.length === 1) throw new Failure('gave up waiting')
        return memory.append(entries)
      },
    }
    await using writer = new Writer({ stream, maxEntryBytes: 256 * 1024 })
    await expect(writer.write()).rejects.toThrow(Failure)
    const [failed] = held[0] ?? []
    const before = Buffer.from(failed?.body ?? [])
    await writer.write()
    expect(Buffer.from(failed?.body ?? [])).toEqual(before)
    expect(held[1]?.[0]?.firstId).not.toBe(failed?.firstId)
  },
)
