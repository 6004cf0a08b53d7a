import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { testApp, type TestApp, type TestAppOptions } from '../test-app.ts'

const url = '/v1/counters/a/b/events'

async function listening(options: TestAppOptions = {}): Promise<TestApp & { origin: string }> {
  const test = await testApp(options)
  return { ...test, origin: await test.app.listen({ host: '127.0.0.1', port: 0 }) }
}

const follow = (origin: string, headers: Record<string, string> = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => get(`${origin}${url}`, { headers, agent: false }, resolve).once('error', reject))

/** Everything received so far. */
function collect(stream: IncomingMessage): () => string {
  let received = ''
  stream.setEncoding('utf8').on('data', (part: string) => (received += part))
  stream.on('error', () => {})
  return () => received
}

const event = (value: number, version = value): string =>
  `id: ${version}\nevent: counter\ndata: {"namespace":"a","name":"b","value":"${value}","version":"${version}"}\n\n`
const absent = 'event: absent\ndata: {"namespace":"a","name":"b"}\n\n'
const add = (app: TestApp['app']) => app.inject({ method: 'POST', url: '/v1/counters/a/b/add' })

test('the state now, then each change, its end included; heartbeats; retry at the end', async () => {
  const stopping = new AbortController()
  const { app, origin } = await listening({ streams: { heartbeatMs: 20 }, server: { stopping: stopping.signal } })
  const stream = await follow(origin)
  const received = collect(stream)
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  })
  const events = (): string => received().replaceAll(':\n\n', '')
  await waitUntil(() => events() === absent)
  await add(app)
  await waitUntil(() => events() === `${absent}${event(1)}`)
  await add(app)
  await waitUntil(() => events() === `${absent}${event(1)}${event(2)}`)
  await app.inject({ method: 'DELETE', url: '/v1/counters/a/b' })
  await waitUntil(() => events().endsWith(absent) && events().length > 2 * absent.length)
  await waitUntil(() => received().includes(':\n\n'))
  stopping.abort()
  await waitUntil(() => /retry: [12]\d{3}\n\n$/.test(received()) && stream.complete)
})

test('changes of other processes are seen within the time between two reads', async () => {
  const { store, origin } = await listening({ streams: { pollMs: 10 } })
  const received = collect(await follow(origin))
  await store.commit([{ kind: 'add', name: 'a/b', by: 5n }])
  await waitUntil(() => received().includes('id: 1\n'))
  expect(received().endsWith(event(5, 1))).toBe(true)
})

test('who has the version already is not sent it again', async () => {
  const { app, origin } = await listening()
  await add(app)
  const [known, unknown, nonsense] = await Promise.all([
    follow(origin, { 'last-event-id': '1' }),
    follow(origin, { 'last-event-id': '7' }),
    follow(origin, { 'last-event-id': 'x' }),
  ])
  const received = [known, unknown, nonsense].map((stream) => stream && collect(stream))
  await waitUntil(() => received[1]?.() === event(1) && received[2]?.() === event(1))
  await add(app)
  await waitUntil(() => received.every((each) => each?.().includes('id: 2\n')))
  expect(received.map((each) => each?.())).toEqual([event(2), event(1) + event(2), event(1) + event(2)])
})

test('more readers than the limit are told to come back', async () => {
  const { app, origin } = await listening({ streams: { maxStreams: 1 } })
  const stream = await follow(origin)
  const refused = await app.inject(url)
  expect(refused.json()).toMatchObject({ status: 503, code: 'too-many-streams' })
  expect(refused.headers['retry-after']).toBe('5')
  stream.destroy()
  await waitUntil(async () => (await app.inject('/metrics')).body.includes('counter_streams{service="counter"} 0'))
})

/** A store in memory whose reads wait, once `close` was called, until `open` is. */
async function storeWithSlowReads() {
  const memory = await openCounterStore('memory:')
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  let waiting = 0
  const read: CounterStore['read'] = async (names) => {
    waiting += 1
    await gate.promise
    return memory.read(names)
  }
  const close = (): void => void (gate = Promise.withResolvers<void>())
  return { store: { ...memory, read }, close, open: () => gate.resolve(), waiting: () => waiting }
}

test('the limit also holds for readers who come at the same moment, and who left is not counted', async () => {
  const slow = await storeWithSlowReads()
  const { app, origin } = await listening({ store: slow.store, streams: { maxStreams: 2, pollMs: 3_600_000 } })
  slow.close()
  const coming = Array.from({ length: 2 }, () => follow(origin))
  await waitUntil(() => slow.waiting() === 2)
  const refused = await follow(origin)
  slow.open()
  const streams = await Promise.all(coming)
  expect([...streams, refused].map(({ statusCode }) => statusCode)).toEqual([200, 200, 503])
  for (const stream of [...streams, refused]) stream.destroy()
  await waitUntil(async () => (await app.inject('/metrics')).body.includes('counter_streams{service="counter"} 0'))
  expect((await follow(origin)).statusCode).toBe(200)
})

test('a reader who goes while the store is read takes no place', async () => {
  const slow = await storeWithSlowReads()
  const closed = Promise.withResolvers<void>()
  const { app, origin } = await listening({ store: slow.store, streams: { maxStreams: 1, pollMs: 3_600_000 } })
  app.server.on('request', (_, response) => response.once('close', closed.resolve))
  slow.close()
  const request = get(`${origin}${url}`, { agent: false }).on('error', () => {})
  await waitUntil(() => slow.waiting() === 1)
  request.destroy()
  await closed.promise
  slow.open()
  expect((await follow(origin)).statusCode).toBe(200)
  expect((await app.inject('/metrics')).body).toContain('counter_streams{service="counter"} 1')
})

test('the end of the service does not wait for a reader', async () => {
  const { app, origin } = await listening()
  const stream = await follow(origin)
  const rest = text(stream)
  await app.close()
  await expect(rest).resolves.toMatch(/retry: \d+\n\n$/)
})
