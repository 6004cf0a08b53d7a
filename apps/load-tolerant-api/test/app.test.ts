import { readFile } from 'node:fs/promises'
import { decodeDocument, encodeDocument, splitDocuments } from '@ballast/state-stores/document'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { problems } from '../src/problems.ts'
import { testApp } from './test-app.ts'

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

test('GET /api/data: key order, five ids that are queued as five documents, five reads, the durability reached', async () => {
  const { app, stream } = await testApp()
  const answer = await app.inject('/api/data')
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(answer.headers['durability']).toBe('fsynced-local=?0, replicas=0, volatile=?1')
  const body = answer.json()
  expect(Object.keys(body)).toEqual(['status', 'writes', 'reads', 'timestamp'])
  expect(body).toMatchObject({ status: 'success', reads: [null, null, null, null, null] })
  expect(body.timestamp).toMatch(iso)
  const [queued] = await stream.queued({ limit: 10 })
  const documents = splitDocuments(queued?.body ?? Buffer.alloc(0)).map(({ bson }) => decodeDocument(bson))
  expect(documents.map(({ _id }) => _id)).toEqual(body.writes)
  expect(documents.map(({ index, type }) => [type, index])).toEqual([0, 1, 2, 3, 4].map((index) => ['write', index]))
  expect(documents[4]?.['timestamp'].toISOString()).toBe(body.timestamp)
})

test('?durable=store answers once all five are stored; 202 when that takes too long; 503 when too many wait', async () => {
  const { app, stream, documents } = await testApp()
  const late = await app.inject('/api/data?durable=store')
  expect([late.statusCode, late.headers['durability']]).toEqual([
    202,
    'fsynced-local=?0, replicas=0, volatile=?1, stored=?0',
  ])
  expect(late.json()).toMatchObject({ status: 'queued', writes: { length: 5 } })
  const answers = Promise.all(Array.from({ length: 11 }, () => app.inject('/api/data?durable=store')))
  await waitUntil(async () => (await stream.backlog()).documents === 55)
  for (const { body } of await stream.queued({ limit: 100 })) await documents.insertMany(splitDocuments(body))
  const got = (await answers).map(({ statusCode, headers }) => [statusCode, headers['durability']])
  const stored = [200, 'fsynced-local=?0, replicas=0, volatile=?1, stored=?1']
  expect(got).toEqual([...Array.from({ length: 10 }, () => stored), [503, undefined]])
  expect((await app.inject('/api/data?durable=nowhere')).statusCode).toBe(400)
})

test('dead letters are listed and go back into the queue; a write that died says so', async () => {
  const { app, stream } = await testApp()
  const answer = app.inject('/api/data?durable=store')
  await waitUntil(async () => (await stream.backlog()).documents === 5)
  const [claimed] = await stream.claim('me', { maxEntries: 1, maxBytes: 1, waitMs: 0 })
  if (claimed === undefined) throw new Error('nothing was queued')
  const dead = splitDocuments(claimed.body).map(({ id, bson }) => ({ id, reason: 'invalid: why', body: bson }))
  await stream.bury([{ claimed, dead }])
  expect((await answer).statusCode).toBe(202)
  const id = dead[0]?.id ?? ''
  expect((await app.inject(`/api/writes/${id}`)).json()).toMatchObject({
    state: 'dead',
    document: { _id: id, index: 0 },
  })
  const list = async (query: string) => (await app.inject(`/api/dead?${query}`)).json()
  const page = await list('limit=2')
  expect(page.letters[0]).toMatchObject({ id, reason: 'invalid: why', deliveries: 1, bytes: dead[0]?.body.length })
  expect((await list(`limit=5&after=${page.next}`)).letters).toHaveLength(3)
  expect((await list('reason=conflict')).letters).toEqual([])
  const replayed = async (query: string) =>
    (await app.inject({ method: 'POST', url: `/api/dead/replay${query}` })).json()
  expect(await replayed(`?id=${id}`)).toEqual({ replayed: 1, unknown: 0, full: null })
  expect((await app.inject(`/api/writes/${id}`)).json()).toMatchObject({ state: 'queued', document: { index: 0 } })
  expect(await replayed('?reason=invalid')).toEqual({ replayed: 4, unknown: 0, full: null })
  expect(await stream.backlog()).toMatchObject({ documents: 5, deadLetters: 0 })
})

test('HEAD /api/data writes nothing: it is 405 with Allow', async () => {
  const { app, stream } = await testApp()
  const answer = await app.inject({ method: 'HEAD', url: '/api/data' })
  expect([answer.statusCode, answer.headers.allow, answer.headers['durability']]).toEqual([405, 'GET', undefined])
  expect(await stream.backlog()).toMatchObject({ entries: 0, documents: 0 })
})

test('no cache may keep an answer of /api/data, be it a success or a refusal', async () => {
  const accepting = await testApp()
  const refusing = await testApp((stream) => ({ ...stream, append: () => Promise.reject(new NotAppliedError('full')) }))
  const answers = await Promise.all([accepting, refusing].map(({ app }) => app.inject('/api/data')))
  expect(answers.map(({ statusCode, headers }) => [statusCode, headers['cache-control']])).toEqual([
    [200, 'no-store'],
    [503, 'no-store'],
  ])
})

test('the reads are the first document of type write, and come from one load', async () => {
  const { app, documents } = await testApp()
  const first = encodeDocument('650000000102030405000001', { type: 'write' })
  await documents.insertMany([first, encodeDocument('650000000102030405000002', { type: 'write' })])
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.inject('/api/data')))
  for (const answer of answers) expect(answer.json().reads).toEqual(Array.from({ length: 5 }, () => first.id))
  expect((await app.inject('/api/cache/stats')).json()).toMatchObject({ keys: 1, loads: 1 })
  expect((await app.inject({ method: 'POST', url: '/api/cache/clear' })).json()).toEqual({
    status: 'cleared',
    keys_removed: 1,
  })
})

test('what the queue refuses, does not take or does not answer for is told apart, in the fixed form', async () => {
  const cases = [
    { append: async () => [{ outcome: 'full', bound: 'age' } as const], status: 503, retryAfter: '60', says: 'age' },
    {
      append: () => Promise.reject(new NotAppliedError('disk full')),
      status: 503,
      retryAfter: '1',
      says: 'did not take',
    },
    {
      append: () => Promise.reject(new OutcomeUnknownError('cut')),
      status: 504,
      retryAfter: undefined,
      says: 'not known',
    },
    { append: () => Promise.reject(new Error('odd')), status: 504, retryAfter: undefined, says: 'not known' },
  ]
  for (const { append, status, retryAfter, says } of cases) {
    const { app } = await testApp((stream) => ({ ...stream, append }))
    const answer = await app.inject('/api/data')
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['retry-after']).toBe(retryAfter)
    expect(answer.json()).toEqual({ status: 'error', message: expect.stringContaining(says) })
  }
})

test('GET /api/stats counts documents, stored and queued', async () => {
  const { app, documents } = await testApp()
  await documents.insertMany([encodeDocument('650000000102030405000001', {})])
  await app.inject('/api/data')
  const body = (await app.inject('/api/stats')).json()
  expect(Object.keys(body)).toEqual(['total_documents', 'pending_writes_in_stream', 'timestamp'])
  expect(body).toMatchObject({ total_documents: 1, pending_writes_in_stream: 5 })
  const broken = await testApp((stream) => ({ ...stream, backlog: () => Promise.reject(new Error('away')) }))
  const answer = await broken.app.inject('/api/stats')
  expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'error', message: expect.any(String) }])
})

test('a write is queued, then stored or dead; others are unknown', async () => {
  const { app, documents, stream } = await testApp()
  const [one, two] = (await app.inject('/api/data')).json().writes
  const state = async (id: string) => (await app.inject(`/api/writes/${id}`)).json()
  expect(await state(two)).toMatchObject({ id: two, state: 'queued', document: { _id: two, index: 1 } })
  const [claimed] = await stream.claim('me', { maxEntries: 1, maxBytes: 1, waitMs: 0 })
  if (claimed === undefined) throw new Error('nothing was queued')
  const parts = splitDocuments(claimed.body)
  await documents.insertMany(parts.slice(1))
  await stream.bury([{ claimed, dead: [{ id: one, reason: 'invalid: why', body: Buffer.from('x') }] }])
  expect(await state(one)).toEqual({ id: one, state: 'dead', reason: 'invalid: why' })
  expect(await state(two)).toMatchObject({ id: two, state: 'stored', document: { type: 'write', index: 1 } })
  expect((await app.inject('/api/writes/650000000102030405000001')).statusCode).toBe(404)
  expect((await app.inject('/api/writes/nonsense')).statusCode).toBe(400)
})

const gone = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED'))

test('a store that is away is a 503 on every route; a write that is queued is found without the document store', async () => {
  let away = false
  const { app, documents } = await testApp((stream) => ({
    ...stream,
    deadLetters: (page) => (away ? gone() : stream.deadLetters(page)),
    locate: (id) => (away ? gone() : stream.locate(id)),
    backlog: () => (away ? gone() : stream.backlog()),
  }))
  const [id] = (await app.inject('/api/data')).json().writes
  Object.assign(documents, { get: gone })
  expect((await app.inject(`/api/writes/${id}`)).json()).toMatchObject({ id, state: 'queued' })
  const unknown = await app.inject('/api/writes/650000000102030405000001')
  expect([unknown.statusCode, unknown.json()]).toEqual([503, { status: 'error', message: expect.any(String) }])
  away = true
  for (const url of [`/api/writes/${id}`, '/api/stats', '/api/dead']) {
    const { statusCode, headers } = await app.inject(url)
    expect([url, statusCode, headers['retry-after']]).toEqual([url, 503, '1'])
  }
  expect((await app.inject({ method: 'POST', url: '/api/dead/replay' })).statusCode).toBe(504)
})

test('/healthz and /readyz have the bodies of the assessment', async () => {
  const { app, server } = await testApp()
  const health = (await app.inject('/healthz')).json()
  expect(health).toEqual({ status: 'ok', timestamp: expect.stringMatching(iso) })
  for (const url of ['/healthz', '/readyz']) expect((await app.inject({ method: 'HEAD', url })).statusCode).toBe(200)
  server.health.add({
    name: 'documents',
    gates: 'none',
    check: () => {
      throw new Error('no primary')
    },
  })
  const ready = await app.inject('/readyz')
  expect([ready.statusCode, ready.json()]).toMatchObject([
    200,
    { status: 'ready', redis: 'connected', mongo: 'no primary', documents: 'no primary', queue: { entries: 0 } },
  ])
  server.health.add({
    name: 'stream',
    gates: 'ready',
    check: () => {
      throw new Error('disk is gone')
    },
  })
  const unready = await app.inject('/readyz')
  expect([unready.statusCode, unready.json()]).toEqual([503, { status: 'not ready', error: 'stream: disk is gone' }])
})

test('the committed OpenAPI document is that of the code', async () => {
  const { app } = await testApp()
  await app.ready()
  await expect(`${JSON.stringify(app.swagger(), undefined, 2)}\n`).toMatchFileSnapshot('../openapi.json')
})

test('the README lists every error with its status', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const listed = [...readme.matchAll(/^\| `([a-z-]+)` +\| (\d{3}) /gm)].map(([, code, status]) => [
    code,
    Number(status),
  ])
  expect(listed).toEqual(Object.entries(problems.types).map(([code, { status }]) => [code, status]))
})
