import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  makeCertificate,
  messageStoreProcess,
  startMessageStore,
  type MessageStoreProcess,
} from './message-store-process.ts'

const foo = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
const bar = 'fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9'
const missing = 'a'.repeat(64)

/** Status line, the headers that matter and the body, as they came over the socket. */
interface Raw {
  readonly status: string
  readonly type: string | undefined
  readonly length: string | undefined
  readonly body: string
}

async function raw(url: string, ca: string | undefined, method: string, path: string, json?: string): Promise<Raw> {
  const { hostname, port } = new URL(url)
  const options = { host: hostname, port: Number(port) }
  const socket = ca === undefined ? connect(options) : connectTls({ ...options, ca })
  const body = json === undefined ? '' : `Content-Type: application/json\r\nContent-Length: ${json.length}\r\n`
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n${body}\r\n${json ?? ''}`)
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(Buffer.from(piece as Uint8Array))
  const [head = '', ...rest] = Buffer.concat(pieces).toString('latin1').split('\r\n\r\n')
  const header = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]
  return {
    status: head.split('\r\n', 1)[0] ?? '',
    type: header('content-type'),
    length: header('content-length'),
    body: rest.join('\r\n\r\n'),
  }
}

const answered = (status: string, body: string): Raw => ({
  status: `HTTP/1.1 ${status}`,
  type: 'application/json',
  length: `${body.length}`,
  body,
})

describe.each(['http', 'https'])('over %s', (scheme) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let server: MessageStoreProcess
  let ca: string | undefined
  let certFile: string | undefined
  beforeAll(async () => {
    folder = await temporaryFolder()
    const certificate = scheme === 'https' ? await makeCertificate(folder.path) : undefined
    certFile = certificate?.certFile
    ca = certFile === undefined ? undefined : await readFile(certFile, 'utf8')
    server = await startMessageStore(join(folder.path, 'store'), ...(certificate?.args ?? []))
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  const ask = (method: string, path: string, json?: string): Promise<Raw> => raw(server.url, ca, method, path, json)

  test('the acceptance test of the original: its requests, its bytes', async () => {
    expect(server.url).toMatch(new RegExp(`^${scheme}://`))
    const notFound = answered('404 Not Found', '{"err_msg": "Message not found"}')
    expect(await ask('GET', `/messages/${missing}`)).toEqual(notFound)
    expect(await ask('POST', '/messages', '{"message": "foo"}')).toEqual(answered('201 Created', `{"digest":"${foo}"}`))
    expect(await ask('GET', `/messages/${foo}`)).toEqual(answered('200 OK', '{"message": "foo"}'))
    expect(await ask('POST', '/messages', '{"message": "bar"}')).toEqual(answered('201 Created', `{"digest":"${bar}"}`))
    expect(await ask('GET', `/messages/${bar}`)).toEqual(answered('200 OK', '{"message": "bar"}'))
    expect(await ask('GET', `/messages/${foo}`)).toEqual(answered('200 OK', '{"message": "foo"}'))
    expect(await ask('POST', '/messages', '{"message": "foo"}')).toEqual(answered('200 OK', `{"digest":"${foo}"}`))
    for (const digest of [foo, bar]) {
      const deleted = answered('200 OK', `{"message_deleted":"${digest}"}`)
      expect(await ask('DELETE', `/messages/${digest}`)).toEqual(deleted)
      expect(await ask('DELETE', `/messages/${digest}`)).toEqual(notFound)
      expect(await ask('GET', `/messages/${digest}`)).toEqual(notFound)
    }
    expect(await ask('GET', '/messages/abc')).toEqual(notFound)
  })

  test('HEAD is GET without the body', async () => {
    await ask('POST', '/messages', '{"message": "foo"}')
    expect(await ask('HEAD', `/messages/${foo}`)).toEqual({ ...answered('200 OK', '{"message": "foo"}'), body: '' })
    expect(await ask('HEAD', `/messages/${missing}`)).toMatchObject({
      status: 'HTTP/1.1 404 Not Found',
      length: '32',
      body: '',
    })
    await ask('DELETE', `/messages/${foo}`)
  })

  test('the bench gets a right answer to every request, and says how many', async () => {
    const trust = certFile === undefined ? [] : ['--ca', certFile]
    await using bench = messageStoreProcess('bench', '-t', '3', '-c', '20', '-N', '20', '--url', server.url, ...trust)
    expect(await bench.exit).toEqual({ code: 0, signal: null })
    expect(bench.stdout).toContain('Total requests: 180')
    expect(bench.stdout.at(-1)).toMatch(/^Requests per second: \d+$/)
  })
})

test('a bench that gets a wrong answer says which one and ends with 1', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path, '--no-delete')
  await using bench = messageStoreProcess('bench', '-t', '1', '-c', '2', '--url', server.url)
  expect(await bench.exit).toEqual({ code: 1, signal: null })
  expect(bench.stderr.join('\n')).toMatch(/DELETE .*expected 200 .*got 405/)
})

test('what is larger than 64 KiB is a file, streamed back byte for byte', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  for (const message of ['x'.repeat(65_537), 'é\u{1f600}"\\'.repeat(200_000), '\u0001'.repeat(2_000_000)]) {
    const created = await fetch(`${server.url}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message }),
    })
    expect(created.status).toBe(201)
    const read = await fetch(new URL(created.headers.get('location') ?? '', server.url))
    expect(read.headers.get('content-type')).toBe('application/json')
    expect((await read.text()) === `{"message": ${JSON.stringify(message)}}`).toBe(true)
    const head = await fetch(read.url, { method: 'HEAD' })
    expect([head.status, head.headers.get('etag')]).toEqual([200, read.headers.get('etag')])
  }
})

test('a body that is too large is refused before it is read', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path, '--body-limit-bytes', '1MiB')
  const head =
    'POST /messages HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{"mess'
  const { hostname, port } = new URL(server.url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(head)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
})
