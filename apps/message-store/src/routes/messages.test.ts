import { createHash } from 'node:crypto'
import type { App, Authenticator } from '@ballast/service'
import { describe, expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

const foo = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
const json = { 'content-type': 'application/json' }
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const post = (app: App, message: string) => app.inject({ method: 'POST', url: '/messages', payload: { message } })
const get = (app: App, digest: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `/messages/${digest}`, headers })

const raw = (app: App, payload: string | Buffer, headers: Record<string, string> = json) =>
  app.inject({ method: 'POST', url: '/messages', payload, headers })

describe('the contract', () => {
  test('a message is created, then there; read; deleted; then gone', async () => {
    const { app } = await testApp()
    const created = await post(app, 'foo')
    expect([created.statusCode, created.body]).toEqual([201, `{"digest":"${foo}"}`])
    expect(created.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '77',
      location: `/messages/${foo}`,
      'x-content-type-options': 'nosniff',
    })
    const again = await post(app, 'foo')
    expect([again.statusCode, again.body, again.headers.location]).toEqual([200, `{"digest":"${foo}"}`, undefined])

    const read = await get(app, foo)
    expect([read.statusCode, read.body]).toEqual([200, '{"message": "foo"}'])
    expect(read.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '18',
      etag: `"${foo}"`,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'repr-digest': `sha-256=:${createHash('sha256').update('{"message": "foo"}').digest('base64')}:`,
    })
    const head = await app.inject({ method: 'HEAD', url: `/messages/${foo}` })
    expect([head.statusCode, head.body]).toEqual([200, ''])
    for (const name of ['content-type', 'content-length', 'etag', 'repr-digest', 'cache-control']) {
      expect(head.headers[name]).toBe(read.headers[name])
    }

    const deleted = await app.inject({ method: 'DELETE', url: `/messages/${foo}` })
    expect([deleted.statusCode, deleted.body]).toEqual([200, `{"message_deleted":"${foo}"}`])
    expect(deleted.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '86' })
    expect((await get(app, foo)).statusCode).toBe(404)
    expect((await app.inject({ method: 'DELETE', url: `/messages/${foo}` })).statusCode).toBe(404)
    expect((await post(app, 'foo')).statusCode).toBe(201)
  })

  test.each(['a'.repeat(64), foo.toUpperCase(), foo.slice(1), `${foo}0`, 'x'.repeat(64), '%00', 'é', 'a'.repeat(500)])(
    '%s is not found, for GET and DELETE alike',
    async (digest) => {
      const { app } = await testApp()
      await post(app, 'foo')
      for (const method of ['GET', 'DELETE'] as const) {
        const answer = await app.inject({ method, url: `/messages/${encodeURIComponent(digest)}` })
        expect([answer.statusCode, answer.body]).toEqual([404, '{"err_msg": "Message not found"}'])
        expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
      }
    },
  )

  test.each(['%zz', '%', 'a/b', `${foo}/`, '', 'a'.repeat(2_000), '%e9'])(
    '/messages/%s is no URL of a message, and is not found all the same',
    async (path) => {
      for (const compat of ['challenge', 'sha256py'] as const) {
        const { app } = await testApp({ compat })
        const key = compat === 'challenge' ? '"err_msg": ' : '"err_message":'
        for (const method of ['GET', 'DELETE'] as const) {
          const answer = await app.inject({ method, url: `/messages/${path}` })
          expect([answer.statusCode, answer.body]).toEqual([404, `{${key}"Message not found"}`])
          expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
        }
      }
    },
  )

  test('only messages are answered like that', async () => {
    const { app } = await testApp({ allowDelete: false })
    const asked = [
      ['GET', '/cas/%zz', 400, 'malformed-url'],
      ['GET', '/nowhere', 404, 'not-found'],
      ['PUT', '/messages/a/b', 404, 'not-found'],
      ['DELETE', '/messages/%zz', 400, 'malformed-url'],
    ] as const
    for (const [method, url, status, code] of asked) {
      const answer = await app.inject({ method, url })
      expect([url, answer.statusCode, answer.json()]).toEqual([url, status, expect.objectContaining({ code })])
    }
  })

  test('the digest is that of the UTF-8 bytes', async () => {
    const { app } = await testApp()
    for (const message of ['', 'é', '\u{1f600}', '\u0000', '\ufeffx', '\u2028', '"\\/', 'a'.repeat(70_000)]) {
      const created = await post(app, message)
      expect([created.statusCode, created.body]).toEqual([201, `{"digest":"${sha256(message)}"}`])
      expect((await get(app, sha256(message))).body).toBe(`{"message": ${JSON.stringify(message)}}`)
    }
  })

  test('--compat sha256py has its 404 and its escapes', async () => {
    const { app } = await testApp({ compat: 'sha256py' })
    await post(app, 'é')
    expect((await get(app, sha256('é'))).body).toBe(String.raw`{"message": "\u00e9"}`)
    expect((await get(app, foo)).body).toBe('{"err_message":"Message not found"}')
  })
})

describe('caching', () => {
  test.each([`"${foo}"`, `W/"${foo}"`, '*', `"x", "${foo}"`])('If-None-Match: %s is 304', async (tag) => {
    const { app } = await testApp()
    await post(app, 'foo')
    const answer = await get(app, foo, { 'if-none-match': tag })
    expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', `"${foo}"`])
    expect((await get(app, 'a'.repeat(64), { 'if-none-match': tag })).statusCode).toBe(404)
  })

  test('another tag is no match', async () => {
    const { app } = await testApp()
    await post(app, 'foo')
    expect((await get(app, foo, { 'if-none-match': '"bar"' })).statusCode).toBe(200)
  })

  test('messages are immutable only where they cannot be deleted', async () => {
    const { app } = await testApp({ allowDelete: false })
    await post(app, 'foo')
    expect((await get(app, foo)).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    const refused = await app.inject({ method: 'DELETE', url: `/messages/${foo}` })
    expect([refused.statusCode, refused.headers.allow]).toEqual([405, 'GET, HEAD'])
    expect((await get(app, foo)).statusCode).toBe(200)
  })

  test('a shared cache keeps nothing that needed credentials', async () => {
    const authenticator: Authenticator = { scheme: 'tokens', identify: () => ({ name: 'someone', role: 'writer' }) }
    const { app } = await testApp({ allowDelete: false, server: { authenticator } })
    await post(app, 'foo')
    expect((await get(app, foo)).headers['cache-control']).toMatch(/^private,/)
  })
})

describe('refusals are problem+json', () => {
  test.each([
    ['broken JSON', '{"message": ', 400, 'malformed-body'],
    ['nothing', '', 400, 'malformed-body'],
    ['no message', '{}', 400, 'invalid-request'],
    ['a number', '{"message": 1}', 400, 'invalid-request'],
    ['null', '{"message": null}', 400, 'invalid-request'],
    ['a list', '[]', 400, 'invalid-request'],
    ['half a surrogate pair', String.raw`{"message": "\ud83d"}`, 400, 'invalid-message'],
    ['the other half', String.raw`{"message": "x\ude00"}`, 400, 'invalid-message'],
    [
      'a byte that is not UTF-8',
      Buffer.from([...Buffer.from('{"message": "'), 0xff, 0x22, 0x7d]),
      400,
      'invalid-message',
    ],
    ['a prototype', '{"message": "x", "__proto__": {}}', 400, 'invalid-message'],
  ])('%s', async (_, payload, status, code) => {
    const { app, store } = await testApp()
    const answer = await raw(app, payload)
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code])
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(store.usage()?.entries).toBe(0)
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense'])('%s is 415', async (type) => {
    const { app } = await testApp()
    const answer = await raw(app, '{"message": "foo"}', { 'content-type': type })
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([415, 'unsupported-media-type'])
  })

  test.each(['gzip', 'zstd', 'nonsense'])(
    'Content-Encoding: %s is 415, also where the body is plain',
    async (coding) => {
      const { app, store } = await testApp()
      for (const url of ['/messages', '/cas/batch/put']) {
        const headers = { ...json, 'content-encoding': coding }
        const answer = await app.inject({ method: 'POST', url, payload: '{"message": "foo"}', headers })
        expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([415, 'unsupported-encoding'])
        expect(answer.headers['accept-encoding']).toBe('identity')
      }
      const identity = { ...json, 'content-encoding': 'identity' }
      expect(store.usage()?.entries).toBe(0)
      expect((await raw(app, '{"message": "foo"}', identity)).statusCode).toBe(201)
    },
  )

  test('a refusal names what is wrong with the body or its type', async () => {
    const { app } = await testApp()
    const forbidden = await raw(app, '{"message":"a","__proto__":1}')
    expect(forbidden.json()).toMatchObject({ detail: expect.stringContaining('The body has a key __proto__') })
    const untyped = await raw(app, Buffer.from('{"message": "foo"}'), {})
    expect([untyped.statusCode, untyped.json()]).toMatchObject([415, { detail: 'Say Content-Type: application/json.' }])
  })

  test('other methods are 405 with Allow', async () => {
    const { app } = await testApp()
    const listed = await app.inject('/messages')
    expect([listed.statusCode, listed.headers.allow]).toEqual([405, 'POST'])
    const put = await app.inject({ method: 'PUT', url: `/messages/${foo}` })
    expect([put.statusCode, put.headers.allow]).toEqual([405, 'DELETE, GET, HEAD'])
  })

  test('more than the quota is 507, and deleting makes room', async () => {
    const { app } = await testApp({ quotaBytes: 5 })
    expect((await post(app, 'foo')).statusCode).toBe(201)
    const full = await post(app, 'bar')
    expect([full.statusCode, full.json<{ code: string }>().code]).toEqual([507, 'store-full'])
    expect((await post(app, 'foo')).statusCode).toBe(200)
    await app.inject({ method: 'DELETE', url: `/messages/${foo}` })
    expect((await post(app, 'bar')).statusCode).toBe(201)
  })
})

test('a client that is too fast is 429, everywhere but at the probes', async () => {
  const { app } = await testApp({ server: { rateLimit: { perSecond: 1, burst: 2 } } })
  await post(app, 'foo')
  expect((await get(app, foo)).statusCode).toBe(200)
  for (const url of [`/messages/${foo}`, `/cas/${foo}`, `/bazel/a/cas/${foo}`, '/nx/v1/cache/1']) {
    const refused = await app.inject({ url })
    expect([url, refused.statusCode, refused.headers['retry-after']]).toEqual([url, 429, '1'])
  }
  expect((await app.inject('/readyz')).statusCode).not.toBe(429)
})
