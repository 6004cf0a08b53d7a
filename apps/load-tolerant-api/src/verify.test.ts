import { encodeDocument, openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions, openStream } from '@ballast/state-stores/stream'
import { expect, test } from 'vitest'
import { verify } from './verify.ts'

const document = (n: number, text = '') => encodeDocument(n.toString(16).padStart(24, '0'), { n, text })
const idOf = (n: number): string => document(n).id

async function setUp() {
  const stream = await openStream('memory:')
  const documents = await openDocumentStore('memory:')
  const queue = (...numbers: number[]) =>
    stream.append([{ documents: numbers.length, body: Buffer.concat(numbers.map((n) => document(n).bson)) }])
  const bury = async (n: number, text = '') => {
    await queue(n)
    const [claimed] = await stream.claim('me', { maxEntries: 1, maxBytes: 1, waitMs: 0 })
    if (claimed === undefined) throw new Error('nothing to bury')
    const dead = [{ id: idOf(n), reason: 'conflict', body: document(n, text).bson }]
    await stream.bury([{ claimed, dead }])
  }
  const run = (numbers: number[], options: { allowQueued?: boolean; maxUnacknowledged?: number } = {}) =>
    verify({
      stream,
      documents,
      acknowledged: numbers.map(idOf),
      allowQueued: options.allowQueued ?? false,
      maxUnacknowledged: options.maxUnacknowledged,
    })
  return { stream, documents, queue, bury, run }
}

test('stored or dead is well, and extras are counted', async () => {
  const { documents, bury, run } = await setUp()
  await documents.insertMany([document(1), document(2), document(9)])
  await bury(3)
  expect(await run([1, 2, 3])).toMatchObject({ ok: true, stored: 2, dead: 1, unacknowledged: 1, violations: [] })
  expect(await run([1, 2, 3], { maxUnacknowledged: 1 })).toMatchObject({ ok: true })
  expect(await run([1, 2, 3], { maxUnacknowledged: 0 })).toMatchObject({ ok: false, violationCount: 1 })
})

test('a lost id, one that is stored and dead, dead twice, queued twice, acknowledged twice: each is a violation', async () => {
  const lost = await setUp()
  expect(await lost.run([7])).toMatchObject({
    ok: false,
    violations: [`${idOf(7)} is lost: neither stored, dead nor queued`],
  })

  const both = await setUp()
  await both.documents.insertMany([document(1)])
  await both.bury(1, 'other')
  expect(await both.run([1])).toMatchObject({ ok: false, violations: [`${idOf(1)} is stored and dead`] })

  const deadTwice = await setUp()
  await deadTwice.bury(1, 'one')
  await deadTwice.bury(1, 'other')
  expect(await deadTwice.run([1])).toMatchObject({ ok: false, violations: [expect.stringContaining('dead twice')] })

  const queuedTwice = await setUp()
  await queuedTwice.queue(1)
  await queuedTwice.queue(1)
  expect(await queuedTwice.run([1], { allowQueued: true })).toMatchObject({
    ok: false,
    violations: [`${idOf(1)} is queued twice`],
  })

  const toldTwice = await setUp()
  await toldTwice.documents.insertMany([document(1)])
  expect(await toldTwice.run([1, 1])).toMatchObject({ ok: false, violations: [`${idOf(1)} was acknowledged twice`] })
})

test('what is queued is a violation only when the system should be quiet', async () => {
  const { queue, run } = await setUp()
  await queue(1, 2)
  expect(await run([1, 2], { allowQueued: true })).toMatchObject({ ok: true, queued: 2 })
  expect(await run([1, 2])).toMatchObject({ ok: false, violations: ['2 documents are still queued'] })
})

test('an entry that holds no documents keeps nobody from the rest: told, and a violation where nothing may be queued', async () => {
  const { stream, documents, queue, run } = await setUp()
  await documents.insertMany([document(1)])
  await stream.append([{ documents: 1, body: Buffer.from('of another program') }])
  await queue(2)
  expect(await run([1, 2], { allowQueued: true })).toMatchObject({ ok: true, queued: 1, unreadableEntries: 1 })
  expect((await run([1, 2])).violations).toContainEqual(expect.stringMatching(/^1 queued entries cannot be read.*: /))
})

test('dead in two partitions is dead twice', async () => {
  await using stream = await openPartitions('memory:', { partitions: 2 })
  await using documents = await openDocumentStore('memory:')
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8])
    await stream.append([{ documents: 1, body: document(n).bson, firstId: idOf(n) }])
  const claims = await stream.claim('one', { maxEntries: 10, maxBytes: 1e6, waitMs: 0 })
  const [one, two] = [claims.find(({ entry }) => !entry.includes('@')), claims.find(({ entry }) => entry.includes('@'))]
  if (one === undefined || two === undefined) throw new Error('all are in one partition')
  for (const claimed of [one, two]) {
    await stream.bury([{ claimed, dead: [{ id: idOf(99), reason: 'x', body: claimed.body }] }])
  }
  const rest = claims.filter((claimed) => claimed !== one && claimed !== two)
  await stream.acknowledge(rest)
  const options = { stream, documents, acknowledged: [idOf(99)], allowQueued: false, maxUnacknowledged: undefined }
  expect(await verify(options)).toMatchObject({ ok: false, dead: 1, violations: [`${idOf(99)} is dead twice`] })
})
