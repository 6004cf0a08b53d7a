import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { malformedBodies, malformedRequests } from './malformed-requests.ts'
import { rawExchange } from './raw-exchange.ts'

export interface HostileTarget extends AsyncDisposable {
  /** Base URL of the running server. */
  readonly url: string
}

/** A route that takes a JSON body. */
export interface JsonRoute {
  readonly method: string
  /** Path with real parameters. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface HostileOptions {
  readonly jsonRoute?: JsonRoute
  /** Of the server; default 1 MiB. */
  readonly bodyLimitBytes?: number
  /** Request time-out of the server, if it is short enough to be waited for; adds the client that sends its body slowly. */
  readonly requestTimeoutMs?: number
  /** Random requests; default 200. */
  readonly runs?: number
}

/** Node looks for late requests once a second; a loaded machine takes its time as well. */
const slackMs = 4_000
/** `headersTimeoutMs` of every server here. */
const headersTimeoutMs = 5_000

/**
 * What any server must take from strangers: each case ends in a 4xx or a closed connection, none in a 5xx or a hang,
 * no smuggled second request is answered, and afterwards the server still lives.
 */
export function describeHostileInput(
  name: string,
  start: () => Promise<HostileTarget>,
  options: HostileOptions = {},
): void {
  describe(`${name}: hostile input`, () => {
    let target: HostileTarget
    beforeAll(async () => {
      target = await start()
    })
    afterAll(async () => {
      const alive = await fetch(`${target.url}/livez`)
      await target[Symbol.asyncDispose]()
      expect(alive.status, 'the server lives after all this').toBe(200)
    })

    const { jsonRoute, bodyLimitBytes = 1_048_576, requestTimeoutMs, runs = 200 } = options
    test.each(Object.entries(malformedRequests(jsonRoute?.path ?? '/')))('%s', async (_what, bytes) => {
      const { statuses, closed } = await rawExchange(target.url, Buffer.from(bytes, 'latin1'))
      expect(statuses.filter((status) => status < 400 || status > 499)).toEqual([])
      expect(statuses.length === 1 || (statuses.length === 0 && closed), 'one 4xx, or a closed connection').toBe(true)
    })

    test('half a request, and then the client is gone', async () => {
      const { statuses, closed } = await rawExchange(target.url, 'GET / HTTP/1.1\r\nHost: te', { end: true })
      expect([closed, statuses.every((status) => status >= 400 && status < 500)]).toEqual([true, true])
    })

    test('clients that send nothing, headers slowly or a body slowly are closed', { timeout: 60_000 }, async () => {
      const timeoutMs = (requestTimeoutMs ?? headersTimeoutMs) + headersTimeoutMs + slackMs
      const halves = ['', 'GET /livez HTTP/1.1\r\nHost: test\r\nX-Slow: ']
      if (requestTimeoutMs !== undefined) {
        halves.push(
          `POST ${jsonRoute?.path ?? '/'} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
        )
      }
      const exchanges = await Promise.all(halves.map((bytes) => rawExchange(target.url, bytes, { timeoutMs })))
      for (const { statuses, closed } of exchanges) {
        expect(closed || statuses.length === 1, 'closed or answered').toBe(true)
        expect(statuses.filter((status) => status < 400 || status > 499)).toEqual([])
      }
    })

    test('a method that the URL does not take is 405 with Allow', async () => {
      const answer = await fetch(`${target.url}/livez`, { method: 'PATCH' })
      expect(answer.status).toBe(405)
      expect(answer.headers.get('allow')).toContain('GET')
    })

    test('an unknown URL is a 404 that repeats no markup', async () => {
      const answer = await fetch(`${target.url}/no/such/<script>`)
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).not.toContain('html')
    })

    test(`${runs} random requests`, async () => {
      const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS')
      const path = fc.oneof(
        fc.webPath(),
        fc.string().map(encodeURIComponent),
        fc.constant(jsonRoute?.path.slice(1) ?? ''),
      )
      const query = fc.webQueryParameters()
      const body = fc.oneof(fc.json(), fc.string(), fc.uint8Array({ maxLength: 200 }))
      const type = fc.constantFrom('application/json', 'text/plain', 'application/octet-stream', 'nonsense')
      const request = fc.record({ method, path, query, body, type })
      await fc.assert(
        fc.asyncProperty(request, async ({ method, path, query, body, type }) => {
          const url = new URL(`/${path.replace(/^\/+/, '')}?${query}`, target.url)
          const bodyless = method === 'GET' || method === 'HEAD'
          const sent = typeof body === 'string' ? body : Buffer.from(body)
          const answer = await fetch(url, {
            method,
            headers: { 'content-type': type },
            ...(bodyless ? {} : { body: sent }),
            signal: AbortSignal.timeout(10_000),
          })
          await answer.body?.cancel()
          expect(answer.status).toBeLessThan(500)
        }),
        { numRuns: runs },
      )
    })

    if (jsonRoute === undefined) return
    const { method, path, headers = {} } = jsonRoute
    const send = (body: string | Buffer, type = 'application/json'): Promise<Response> =>
      fetch(`${target.url}${path}`, { method, headers: { ...headers, 'content-type': type }, body })

    test.each(Object.entries(malformedBodies))('a JSON body that is %s', async (_what, body) => {
      const answer = await send(body)
      await answer.body?.cancel()
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
    })

    test('a body larger than the limit is 413, announced or not', async () => {
      const announced = await send(Buffer.alloc(bodyLimitBytes + 1, 0x20)).catch(() => undefined)
      // The server may close before it has read it all: then there is no answer to see.
      expect(announced?.status ?? 413).toBe(413)
      const head = `${method} ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
      const chunk = `${(bodyLimitBytes + 1).toString(16)}\r\n${' '.repeat(bodyLimitBytes + 1)}\r\n0\r\n\r\n`
      const { statuses, closed } = await rawExchange(target.url, head + chunk)
      expect(statuses.length === 0 ? closed : statuses[0]).toBe(statuses.length === 0 ? true : 413)
    })

    test('a content type that is not JSON is 415', async () => {
      expect((await send('<a/>', 'application/xml')).status).toBe(415)
    })
  })
}
