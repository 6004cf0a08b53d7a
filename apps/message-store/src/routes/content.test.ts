import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const base64 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')
const hello = Buffer.from('hello')
const url = `/cas/${sha256(hello)}`

async function app(options: Parameters<typeof testApp>[0] = {}) {
  const { app: inner, store } = await testApp(options)
  const put = (to: string, payload: Buffer | Readable, headers: Record<string, string> = {}) =>
    inner.inject({ method: 'PUT', url: to, payload, headers })
  const get = (from: string, headers: Record<string, string> = {}) => inner.inject({ url: from, headers })
  return { inner, store, put, get }
}

describe('bytes by their digest', () => {
  test('are created, then there; read as nothing a browser would run; deleted', async () => {
    const { inner, put, get } = await app()
    expect((await put(url, hello)).statusCode).toBe(201)
    expect((await put(url, hello)).statusCode).toBe(200)
    const read = await get(url)
    expect([read.statusCode, read.body]).toEqual([200, 'hello'])
    expect(read.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '5',
      etag: `"${sha256(hello)}"`,
      'repr-digest': `sha-256=:${base64(hello)}:`,
      'cache-control': 'no-cache',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
    const head = await inner.inject({ method: 'HEAD', url })
    expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', '5'])
    expect((await get(url, { 'if-none-match': `"${sha256(hello)}"` })).statusCode).toBe(304)
    expect((await inner.inject({ method: 'DELETE', url })).statusCode).toBe(204)
    expect((await inner.inject({ method: 'DELETE', url })).statusCode).toBe(404)
    expect((await get(url)).statusCode).toBe(404)
  })

  test.each([5, 100_000])('%i bytes that are others than promised leave nothing', async (length) => {
    const { store, put, get } = await app()
    const refused = await put(url, Buffer.alloc(length))
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([422, 'digest-mismatch'])
    expect((await get(url)).statusCode).toBe(404)
    expect(store.usage()?.blobs).toBe(0)
  })

  test('the empty blob is always there', async () => {
    const { inner, put } = await app()
    const empty = `/cas/${sha256(Buffer.alloc(0))}`
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await inner.inject({ method, url: empty })
      expect([answer.statusCode, answer.headers['content-length'], answer.headers.etag]).toEqual([
        200,
        '0',
        `"${sha256(Buffer.alloc(0))}"`,
      ])
    }
    expect((await put(empty, Buffer.alloc(0))).statusCode).toBe(201)
  })

  test.each(['a'.repeat(63), 'A'.repeat(64), 'g'.repeat(64), '..', '%2e%2e%2fmessages', '%00'])(
    '%s is no digest',
    async (digest) => {
      const { inner, store } = await app()
      for (const method of ['GET', 'PUT', 'DELETE', 'HEAD'] as const) {
        const answer = await inner.inject({
          method,
          url: `/cas/${digest}`,
          ...(method === 'PUT' && { payload: hello }),
        })
        expect([400, 404]).toContain(answer.statusCode)
      }
      expect(store.usage()?.entries).toBe(0)
    },
  )

  test('of a family of its own: a message of the same bytes is no blob, and outlives it', async () => {
    const { inner, put, get } = await app()
    await inner.inject({ method: 'POST', url: '/messages', payload: { message: 'hello' } })
    expect((await get(url)).statusCode).toBe(404)
    await put(url, hello)
    await inner.inject({ method: 'DELETE', url })
    expect((await get(`/messages/${sha256(hello)}`)).body).toBe('{"message": "hello"}')
    await put(`/cas/${sha256(Buffer.from('other'))}`, Buffer.from('other'))
    expect((await get(`/messages/${sha256(Buffer.from('other'))}`)).statusCode).toBe(404)
  })

  test('where nothing is deleted, caches may keep it for ever', async () => {
    const { inner, put, get } = await app({ allowDelete: false })
    await put(url, hello)
    expect((await get(url)).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    const refused = await inner.inject({ method: 'DELETE', url })
    expect([refused.statusCode, refused.headers.allow]).toEqual([405, 'GET, HEAD, PUT'])
  })

  test('a full store is 507', async () => {
    const { put } = await app({ quotaBytes: 4 })
    const full = await put(url, hello)
    expect([full.statusCode, full.json<{ code: string }>().code]).toEqual([507, 'store-full'])
  })

  test('more than the limit is 413', async () => {
    const { put } = await app({ store: new MemoryBlobStore({ maxBlobBytes: 100_000 }) })
    const large = await put(url, Buffer.alloc(3_000_000))
    expect([large.statusCode, large.json<{ code: string }>().code]).toEqual([413, 'body-too-large'])
  })

  test('damaged bytes are never given out; to HEAD they are missing, so that they are brought again', async () => {
    const store = new MemoryBlobStore()
    const { inner, put, get } = await app({ store })
    await put(url, hello)
    store.damage(sha256(hello))
    const damaged = await get(url)
    expect([damaged.statusCode, damaged.json<{ code: string }>().code]).toEqual([500, 'message-damaged'])
    expect((await inner.inject({ method: 'HEAD', url })).statusCode).toBe(404)
    await put(url, hello)
    expect((await get(url)).body).toBe('hello')
  })
})

describe('ranges', () => {
  const bytes = randomBytes(700_000)
  const large = `/cas/${sha256(bytes)}`

  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=262143-262144', 262_143, 262_145],
    ['bytes=300000-', 300_000, 700_000],
    ['bytes=-7', 699_993, 700_000],
    ['bytes=5-99999999', 5, 700_000],
  ])('%s is 206', async (range, start, end) => {
    const { put, get } = await app()
    await put(large, bytes)
    const answer = await get(large, { range })
    expect(answer.statusCode).toBe(206)
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${start}-${end - 1}/700000`,
      'content-length': `${end - start}`,
      'repr-digest': `sha-256=:${base64(bytes)}:`,
    })
    expect(answer.rawPayload.equals(bytes.subarray(start, end))).toBe(true)
  })

  test('behind the end is 416 with the size', async () => {
    const { put, get } = await app()
    await put(large, bytes)
    const answer = await get(large, { range: 'bytes=700000-' })
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([416, 'bytes */700000'])
    expect(answer.json<{ code: string }>().code).toBe('range-not-satisfiable')
  })

  test.each(['bytes=0-1,5-6', 'bytes=9-1', 'lines=1-2', 'nonsense'])('%s is answered in whole', async (range) => {
    const { put, get } = await app()
    await put(large, bytes)
    const answer = await get(large, { range })
    expect([answer.statusCode, answer.rawPayload.length]).toEqual([200, 700_000])
  })

  test('If-Range with another tag is answered in whole', async () => {
    const { put, get } = await app()
    await put(large, bytes)
    const range = 'bytes=0-9'
    expect((await get(large, { range, 'if-range': '"else"' })).statusCode).toBe(200)
    expect((await get(large, { range, 'if-range': `"${sha256(bytes)}"` })).statusCode).toBe(206)
  })
})

test.each([
  ['PUT', { 'if-match': '"x"' }],
  ['PUT', { 'if-none-match': '"x"' }],
  ['PUT', { 'if-unmodified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' }],
  ['PUT', { 'content-range': 'bytes 0-0/5' }],
  ['DELETE', { 'if-match': '"x"' }],
  ['DELETE', { 'if-none-match': '*' }],
] as const)('%s with %j is refused, and nothing changes', async (method, headers) => {
  const { inner, put, get } = await app()
  await put('/ac/key', hello)
  const answer = await inner.inject({ method, url: '/ac/key', headers, ...(method === 'PUT' && { payload: 'other' }) })
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'unsupported-condition'])
  expect((await get('/ac/key')).body).toBe('hello')
})

describe('zstd', () => {
  const text = Buffer.from('compress me '.repeat(30_000))
  const long = `/cas/${sha256(text)}`

  test('is taken as Content-Encoding, and the digest is that of what is inside', async () => {
    const { put, get } = await app()
    expect((await put(long, zstdCompressSync(text), { 'content-encoding': 'zstd' })).statusCode).toBe(201)
    expect((await get(long)).rawPayload.equals(text)).toBe(true)
    expect((await put(url, zstdCompressSync(text), { 'content-encoding': 'zstd' })).statusCode).toBe(422)
  })

  test.each([
    ['no zstd', Buffer.from('this is not zstd at all')],
    ['half a frame', zstdCompressSync(randomBytes(200_000)).subarray(0, 100_000)],
    ['nothing', Buffer.from([1])],
    ['more after a frame', Buffer.concat([zstdCompressSync(hello), Buffer.from('and more')])],
  ])('%s is 400 and leaves nothing, under a key as well', async (_what, payload) => {
    const { put, store } = await app()
    const answer = await put('/ac/key', payload, { 'content-encoding': 'zstd' })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'malformed-body'])
    expect(store.usage()?.entries).toBe(0)
  })

  test('every frame counts, wherever the pieces of the body end', async () => {
    const { put, get } = await app()
    const sizes = fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 70_000 }), async (lengths, pieceBytes) => {
        const frames = lengths.map((length) => randomBytes(length))
        const body = Buffer.concat(frames.map((frame) => zstdCompressSync(frame)))
        const pieces = Array.from({ length: Math.ceil(body.length / pieceBytes) }, (_, i) =>
          body.subarray(i * pieceBytes, (i + 1) * pieceBytes),
        )
        expect(
          (await put('/ac/frames', Readable.from(pieces), { 'content-encoding': 'zstd' })).statusCode,
        ).toBeLessThan(202)
        expect((await get('/ac/frames')).rawPayload.equals(Buffer.concat(frames))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test.each(['gzip', 'br', 'zstd, gzip', 'nonsense'])('%s is 415 and says what would be taken', async (coding) => {
    const { put, store } = await app()
    const answer = await put(url, hello, { 'content-encoding': coding })
    expect([answer.statusCode, answer.headers['accept-encoding']]).toEqual([415, 'zstd, identity'])
    expect(answer.json<{ code: string }>().code).toBe('unsupported-encoding')
    expect(store.usage()?.entries).toBe(0)
  })

  test('is given to who accepts it, with a tag of its own', async () => {
    const { put, get } = await app()
    await put(long, text)
    const answer = await get(long, { 'accept-encoding': 'gzip, zstd' })
    expect(answer.headers).toMatchObject({
      'content-encoding': 'zstd',
      vary: 'accept-encoding',
      etag: `"${sha256(text)}-zstd"`,
    })
    expect(answer.headers['repr-digest']).toBeUndefined()
    expect(answer.rawPayload.length).toBeLessThan(text.length / 10)
    expect(zstdDecompressSync(answer.rawPayload).equals(text)).toBe(true)
    expect((await get(long, { 'accept-encoding': 'zstd;q=0, gzip' })).rawPayload.length).toBe(text.length)
    expect(
      (await get(long, { 'accept-encoding': 'zstd', range: 'bytes=0-9' })).headers['content-encoding'],
    ).toBeUndefined()
  })
})

describe('bytes by a key', () => {
  test('may be replaced', async () => {
    const { inner, put, get } = await app()
    expect((await put('/ac/some.key:1', hello)).statusCode).toBe(201)
    expect((await put('/ac/some.key:1', Buffer.from('other'))).statusCode).toBe(200)
    const read = await get('/ac/some.key:1')
    expect([read.body, read.headers['cache-control']]).toEqual(['other', 'no-cache'])
    expect((await inner.inject({ method: 'DELETE', url: '/ac/some.key:1' })).statusCode).toBe(204)
  })

  test('with If-None-Match: * are only made, never replaced', async () => {
    const { put, get } = await app()
    const only = { 'if-none-match': '*' }
    expect((await put('/ac/key', hello, only)).statusCode).toBe(201)
    for (const bytes of [Buffer.from('other'), hello]) {
      const refused = await put('/ac/key', bytes, only)
      expect([refused.statusCode, refused.headers.etag]).toEqual([412, `"${sha256(hello)}"`])
      expect(refused.json<{ code: string }>().code).toBe('name-taken')
    }
    expect((await get('/ac/key')).body).toBe('hello')
    const racing = Array.from({ length: 8 }, (_, index) => put('/ac/race', Buffer.from(`${index}`), only))
    const statuses = (await Promise.all(racing)).map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status !== 201)).toEqual(Array<number>(7).fill(412))
    expect((await get('/ac/race')).body).toBe(`${statuses.indexOf(201)}`)
  })

  test.each(['.hidden', '..', 'a%2Fb', 'a%00b', 'x'.repeat(201), 'é'])('%s is no key', async (key) => {
    const { put, store } = await app()
    const answer = await put(`/ac/${key}`, hello)
    expect([400, 404]).toContain(answer.statusCode)
    expect(store.usage()?.entries).toBe(0)
  })
})

test('what is read and written is counted by its family', async () => {
  const { put, get } = await app()
  await put(url, hello)
  await put(url, Buffer.from('other'))
  await get(url)
  await get('/bazel/main/ac/none')
  const { body } = await get('/metrics')
  expect(body).toMatch(/^message_store_puts_total\{outcome="created",family="cas".*\} 1$/m)
  expect(body).toMatch(/^message_store_puts_total\{outcome="refused",family="cas".*\} 1$/m)
  expect(body).toMatch(/^message_store_gets_total\{outcome="hit",family="cas".*\} 1$/m)
  expect(body).toMatch(/^message_store_gets_total\{outcome="miss",family="bazel".*\} 1$/m)
})
