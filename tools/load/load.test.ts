import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { generateLoad } from './generate-load.ts'
import { failures } from './options.ts'
import { percentiles } from './percentiles.ts'
import { requestBytes } from './request-bytes.ts'
import { ResponseReader } from './response-reader.ts'

async function listen(handler: RequestListener): Promise<AsyncDisposable & { url: string; server: Server }> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, server, [Symbol.asyncDispose]: close }
}

test('every request is unique, counted once, and its collected strings are on disk', async () => {
  await using folder = await temporaryFolder()
  const bodies: string[] = []
  await using server = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      bodies.push(body)
      response.end(JSON.stringify({ ids: [String(bodies.length), 'x'] }))
    })
  })
  const file = join(folder.path, 'ids')
  const result = await generateLoad({
    url: server.url,
    connections: 4,
    durationMs: 1_000,
    request: { method: 'POST', path: '/', body: '{"message":"{unique}"}' },
    collect: { key: 'ids', file },
  })
  expect(failures(result)).toBe(0)
  expect(result.requests).toBeGreaterThan(4)
  expect(new Set(bodies).size).toBe(bodies.length)
  expect(bodies[0]).toMatch(/^\{"message":"[0-9a-z]{16}"\}$/)
  // The last answer of a connection may come after the end: it is collected but not counted.
  expect(result.collected).toBe(bodies.length * 2)
  expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(bodies.length * 2)
})

test('refusals and broken connections are told apart', async () => {
  let count = 0
  await using server = await listen((_, response) => {
    count++
    if (count === 3) response.destroy()
    else response.writeHead(count === 2 ? 503 : 200, { 'content-length': 0 }).end()
  })
  const result = await generateLoad({
    url: server.url,
    connections: 1,
    durationMs: 200,
    request: { method: 'GET', path: '/' },
  })
  expect(result.refused).toEqual({ 503: 1 })
  expect(Object.values(result.broken)).toEqual([1])
  expect(result.requests).toBeGreaterThan(0)
})

test('at a constant rate a server that stands still shows in every latency, not in one', async () => {
  let standing = true
  await using server = await listen((_, response) => {
    if (standing) setTimeout(() => ((standing = false), response.end('x')), 300)
    else response.end('x')
  })
  const result = await generateLoad({
    url: server.url,
    connections: 1,
    durationMs: 600,
    ratePerSecond: 100,
    request: { method: 'GET', path: '/' },
  })
  expect(failures(result)).toBe(0)
  expect(result.requests).toBeLessThanOrEqual(61)
  expect(result.latencyMs.max).toBeGreaterThan(290)
  // Half of the requests were due while it stood still.
  expect(result.latencyMs.p50).toBeGreaterThan(5)
})

test('an answer is read in whatever pieces it arrives', () => {
  const text = 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
  const reader = new ResponseReader()
  const answers = text
    .split('')
    .map((byte) => reader.push(Buffer.from(byte)))
    .filter((answer) => answer !== undefined)
  const head = text.slice(0, text.indexOf('\r\n\r\n'))
  expect(answers).toEqual([{ status: 201, head, body: Buffer.from('hello'), last: true }])
})

test('an answer without a length is an error, not a guess', () => {
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'
  expect(() => new ResponseReader().push(Buffer.from(chunked))).toThrow('Content-Length: HTTP/1.1 200 OK')
})

test('the length counts bytes, and the placeholder at its final size', () => {
  const bytes = requestBytes({ method: 'POST', path: '/', body: 'ä{unique}' }, 'host', 7)()
  const [head = '', body = ''] = bytes.split('\r\n\r\n')
  expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`)
})

test('percentiles are nearest-rank', () => {
  const values = Float64Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(percentiles(values, 50, 99, 100)).toEqual([50, 99, 100])
  expect(percentiles(new Float64Array(), 50)).toEqual([0])
})
