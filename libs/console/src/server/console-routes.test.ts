import { brotliDecompressSync } from 'node:zlib'
import { setTimeout as delay } from 'node:timers/promises'
import { buildServer, testServer, type App, type ServerOptions } from '@ballast/service'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { readEvents, type StreamEvent } from '../read-events.ts'
import { loadAssets } from './assets.ts'
import { consoleRoutes, type ConsoleOptions } from './console-routes.ts'
import { takeSample } from './sampler.ts'

interface Started extends AsyncDisposable {
  readonly app: App
  readonly url: string
}

async function start(server: ServerOptions, options: Partial<ConsoleOptions> = {}): Promise<Started> {
  const app = await buildServer(server)
  await app.register(consoleRoutes, { server, metrics: ['counter_'], ...options })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, [Symbol.asyncDispose]: async () => app.close() }
}

async function* events(
  url: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): AsyncGenerator<StreamEvent> {
  const response = await fetch(`${url}/ui/events`, { signal, headers })
  if (response.body === null) throw new Error('no body')
  yield* readEvents(response.body.pipeThrough(new TextDecoderStream()))
}

async function first(count: number, stream: AsyncGenerator<StreamEvent>): Promise<StreamEvent[]> {
  const found: StreamEvent[] = []
  for await (const event of stream) if (found.push(event) === count) break
  return found
}

test('a stream says who reads, then samples; it ends with the reader', async () => {
  const server = testServer('counter')
  const operations = server.metrics.counter({ name: 'counter_operations_total', help: 'x' })
  await using started = await start(server, { state: async () => ({ answer: 42 }) })
  const abort = new AbortController()
  const stream = events(started.url, abort.signal)
  const [hello, sample] = await first(2, stream)
  expect(hello).toEqual({
    event: 'hello',
    data: { service: 'counter', version: '0.0.0', access: { scheme: 'none', name: 'anonymous', role: 'admin' } },
  })
  expect(sample?.data).toMatchObject({
    service: 'counter',
    series: { counter_operations_total: 0 },
    state: { answer: 42 },
    troubles: [],
  })
  operations.inc(3)
  const later = events(started.url, abort.signal)
  for await (const { data } of later) if (JSON.stringify(data).includes('"counter_operations_total":3')) break
})

test('nobody reading costs nothing, and 200 who come and go leave no handle', async () => {
  let asked = 0
  await using started = await start(testServer('counter'), {
    state: async () => {
      asked++
      return {}
    },
  })
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const abort = new AbortController()
        await first(1, events(started.url, abort.signal))
        abort.abort()
      }),
    )
  }
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      started.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  await waitUntil(async () => started.app.openRequests().length === 0 && (await connections()) === 0)
  // One sample may still have been under way.
  await delay(600)
  const before = asked
  await delay(1_200)
  expect(asked).toBe(before)
})

test('more readers than allowed are told to come back', async () => {
  await using started = await start(testServer('counter'), { maxReaders: 1 })
  const abort = new AbortController()
  await first(1, keep(events(started.url, abort.signal)))
  const refused = await fetch(`${started.url}/ui/events`)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  abort.abort()
})

/** Breaking out of a loop would end the generator, and with it the connection. */
function keep(stream: AsyncGenerator<StreamEvent>): AsyncGenerator<StreamEvent> {
  return {
    ...stream,
    next: () => stream.next(),
    return: async (value) => ({ done: true, value }),
    [Symbol.asyncIterator]: () => keep(stream),
  } as AsyncGenerator<StreamEvent>
}

test('a store that hangs or fails is said so, beside what is known without it', async () => {
  const server = testServer('counter')
  server.health.add({ name: 'store', gates: 'ready', check: () => Promise.reject(new Error('the disk is gone')) })
  await using started = await start(server, { state: () => Promise.reject(new Error('no answer')) })
  const [, sample] = await first(2, events(started.url, AbortSignal.timeout(20_000)))
  expect(sample?.data).toMatchObject({ troubles: ['store: the disk is gone', 'state: no answer'] })
})

const away = (): Promise<never> => Promise.reject(new Error('PostgreSQL is away'))

test('what fails in two places for one reason is said once', async () => {
  const server = testServer('scaler')
  server.health.add({ name: 'store', gates: 'ready', check: away })
  const { troubles } = await takeSample({ server, service: 'scaler', metrics: [], state: away })
  expect(troubles).toEqual(['store: PostgreSQL is away'])
})

test('the page is under a strict policy, compressed, below 150 KB, and names nothing outside', async () => {
  await using started = await start(testServer('counter'))
  const page = await fetch(`${started.url}/ui`, { headers: { accept: 'text/html' } })
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
  )
  expect(await page.text()).not.toMatch(/https?:|<script>|style=/)
  const assets = await loadAssets()
  const compressed = Object.values(assets).reduce((sum, { gzip }) => sum + gzip.length, 0)
  expect(compressed).toBeLessThan(150_000)
  for (const { plain, br } of Object.values(assets)) expect(brotliDecompressSync(br)).toEqual(plain)
  const { etag } = assets['console.js']
  const again = await fetch(`${started.url}/ui/console.js`, { headers: { 'if-none-match': etag } })
  expect(again.status).toBe(304)
})

test('who does not ask for HTML gets a table', async () => {
  const server = testServer('counter')
  server.metrics.counter({ name: 'counter_operations_total', help: 'x' }).inc(1_234_567)
  await using started = await start(server)
  const answer = await fetch(`${started.url}/ui`)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(await answer.text()).toMatch(/^counter\n {2}increments {5}0\/s\n[^]* {2}applied {8}1,234,567\n/)
})

test('with tokens the page is for all, and what it shows for readers', async () => {
  const authenticator: ServerOptions['authenticator'] = {
    scheme: 'tokens',
    identify: ({ headers }) => (headers.authorization === 'Bearer good' ? { name: 'eve', role: 'reader' } : undefined),
  }
  await using started = await start(testServer('counter', { authenticator }))
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${started.url}${path}`, { headers })).status
  expect(await status('/ui', { accept: 'text/html' })).toBe(200)
  expect([await status('/ui'), await status('/ui/events')]).toEqual([401, 401])
  expect(await status('/ui', { authorization: 'Bearer good' })).toBe(200)
  const [hello] = await first(1, events(started.url, AbortSignal.timeout(20_000), { authorization: 'Bearer good' }))
  expect(hello?.data).toMatchObject({ access: { scheme: 'tokens', name: 'eve', role: 'reader' } })
})
