import { expect, test } from 'vitest'
import { build } from '../../test/fixture/app.ts'
import { rawExchange } from '../hostile-input/raw-exchange.ts'
import { defaultLimits } from './server-options.ts'
import { testServer } from './test-server.ts'

test.each([
  ['no HTTP', 'nonsense\r\n\r\n', 400, 'malformed-request'],
  [
    'headers that are too large',
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers-too-large',
  ],
  ['headers that come too slowly', 'GET / HTTP/1.1\r\nHost: a\r\n', 408, 'request-timeout'],
  ['an expectation', 'GET /public HTTP/1.1\r\nHost: a\r\nExpect: a-pony\r\n\r\n', 417, 'expectation-failed'],
])('%s is answered with a problem, and the connection is closed', async (_what, bytes, status, code) => {
  const server = testServer('test', { limits: { ...defaultLimits, headersTimeoutMs: 200 } })
  await using app = await build({ server })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { statuses, closed, text } = await rawExchange(url, bytes)
  expect([statuses, closed]).toEqual([[status], true])
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head.toLowerCase()).toContain('content-type: application/problem+json')
  expect(body).toContain(`"status":${status}`)
  expect(body).toContain(`"code":"${code}"`)
})

test('what never became a request is counted by its reason', async () => {
  const server = testServer('test')
  await using app = await build({ server })
  await rawExchange(await app.listen({ port: 0, host: '127.0.0.1' }), 'nonsense\r\n\r\n')
  const { body } = await server.metrics.exposition(undefined)
  expect(body).toContain('http_server_malformed_requests_total{reason="malformed-request",service="test"} 1')
})
