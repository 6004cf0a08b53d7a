import { describe, expect, test } from 'vitest'
import { testApp, type TestApp } from '../test-app.ts'

const url = '/v1/counters/shop/visits'
type Headers = Record<string, string>
const add = (app: TestApp['app'], payload?: object, headers: Headers = {}) =>
  app.inject({ method: 'POST', url: `${url}/add`, headers, ...(payload && { payload }) })
const set = (app: TestApp['app'], payload: object, headers: Headers = {}) =>
  app.inject({ method: 'PUT', url, headers, payload })

describe('a named counter', () => {
  test('is made by the first addition, of 1 when nothing is said', async () => {
    const { app } = await testApp()
    expect((await app.inject(url)).json()).toMatchObject({ status: 404, code: 'counter-not-found' })
    expect((await add(app)).json()).toEqual({
      namespace: 'shop',
      name: 'visits',
      value: '1',
      previous: '0',
      version: '1',
    })
    expect((await add(app, { by: -3 })).json()).toMatchObject({ value: '-2', previous: '1' })
    expect((await add(app, { by: '9007199254740993' })).json()).toMatchObject({ value: '9007199254740991' })
    expect((await app.inject(url)).json()).toEqual({
      namespace: 'shop',
      name: 'visits',
      value: '9007199254740991',
      version: '3',
    })
  })

  test('an empty body that is said to be JSON is none', async () => {
    const { app } = await testApp()
    const send = (method: 'POST' | 'PUT' | 'DELETE', url: string, body = '') =>
      app.inject({ method, url, body, headers: { 'content-type': 'application/json' } })
    const url = '/v1/counters/a/b'
    expect((await send('POST', `${url}/add`)).json()).toMatchObject({ value: '1' })
    expect((await send('POST', '/')).json()).toEqual({ counter: 1 })
    expect((await send('PUT', url)).json()).toMatchObject({ status: 400, code: 'invalid-request' })
    for (const hostile of ['{', '{"__proto__":{"by":5}}'])
      expect((await send('POST', `${url}/add`, hostile)).json()).toMatchObject({ status: 400, code: 'malformed-body' })
    expect((await send('DELETE', url)).statusCode).toBe(204)
  })

  test('is set and removed', async () => {
    const { app } = await testApp()
    expect((await set(app, { value: '41' })).json()).toMatchObject({ value: '41', previous: '0' })
    const removed = await app.inject({ method: 'DELETE', url })
    expect([removed.statusCode, removed.body]).toEqual([204, ''])
    expect((await app.inject({ method: 'DELETE', url })).json()).toMatchObject({
      status: 404,
      code: 'counter-not-found',
    })
  })

  test.each([
    ['/v1/counters/a%20b/c', 400],
    [`/v1/counters/a/${'x'.repeat(129)}`, 400],
    [`/v1/counters/a/${'x'.repeat(128)}`, 404],
    ['/v1/counters/a~b/c', 400],
    ['/v1/counters/A.b:c-d/0', 404],
  ])('name %s is answered %i', async (path, status) => {
    const { app } = await testApp()
    const code = status === 400 ? 'invalid-name' : 'counter-not-found'
    expect((await app.inject(path)).json()).toMatchObject({ status, code })
  })

  test.each([
    [{ by: 1.5 }, 'invalid-number'],
    [{ by: 'one' }, 'invalid-number'],
    [{ by: 9_007_199_254_740_992 }, 'invalid-number'],
    [{ by: '99999999999999999999' }, 'invalid-number'],
    [{ by: 1, min: 1.5 }, 'invalid-number'],
    [{ by: 1, min: 5, max: 4 }, 'contradicting-bounds'],
    [{ by: '9223372036854775808' }, 'invalid-number'],
    [{ by: 1, onBound: 'explode' }, 'invalid-request'],
    [{ bye: 1 }, 'invalid-request'],
    [{ ttlMs: 0 }, 'invalid-request'],
    [[], 'invalid-request'],
  ])('%j is refused as %s and changes nothing', async (payload, code) => {
    const { app } = await testApp()
    expect((await add(app, payload)).json()).toMatchObject({ status: 400, code })
    expect((await app.inject(url)).statusCode).toBe(404)
  })

  test('overflow and bounds are refused with what stood in the way', async () => {
    const { app } = await testApp()
    await set(app, { value: '9223372036854775807' })
    expect((await add(app)).json()).toMatchObject({
      status: 422,
      code: 'counter-overflow',
      current: { value: '9223372036854775807' },
    })
    await set(app, { value: 8 })
    expect((await add(app, { by: 3, max: 10 })).json()).toMatchObject({
      status: 409,
      code: 'bound-reached',
      current: { value: '8' },
    })
    expect((await add(app, { by: 3, max: 10, onBound: 'saturate' })).json()).toMatchObject({
      value: '10',
      previous: '8',
    })
    expect((await add(app, { by: -11, min: '0' })).json()).toMatchObject({ code: 'bound-reached' })
  })

  test('with a time to live is gone after it', async () => {
    const { app, pass } = await testApp()
    expect((await add(app, { ttlMs: 1000 })).json()).toMatchObject({ expiresAtMs: 1_700_000_001_000 })
    pass(999)
    expect((await app.inject(url)).statusCode).toBe(200)
    pass(1)
    expect((await app.inject(url)).statusCode).toBe(404)
    await set(app, { value: 1, ttlMs: 1000 })
    expect((await set(app, { value: 1 })).json()).not.toHaveProperty('expiresAtMs')
  })
})

describe('conditions', () => {
  test('If-Match, If-Match: * and If-None-Match: *', async () => {
    const { app } = await testApp()
    expect((await add(app, {}, { 'if-match': '*' })).json()).toMatchObject({ status: 412, code: 'version-mismatch' })
    const made = await set(app, { value: 5 }, { 'if-none-match': '*' })
    expect(made.headers['etag']).toBe('"1"')
    expect((await set(app, { value: 5 }, { 'if-none-match': '*' })).json()).toMatchObject({
      status: 412,
      current: { version: '1' },
    })
    expect((await add(app, {}, { 'if-match': '"1"' })).headers['etag']).toBe('"2"')
    expect((await add(app, {}, { 'if-match': '"1"' })).statusCode).toBe(412)
    expect((await app.inject({ method: 'DELETE', url, headers: { 'if-match': '"1"' } })).statusCode).toBe(412)
    expect((await app.inject({ method: 'DELETE', url, headers: { 'if-match': '"2"' } })).statusCode).toBe(204)
  })

  test.each([
    { 'if-match': 'W/"1"' },
    { 'if-match': '"1", "2"' },
    { 'if-match': '1' },
    { 'if-none-match': '"1"' },
    { 'if-match': '*', 'if-none-match': '*' },
  ])('%j cannot be checked and is refused', async (headers) => {
    const { app } = await testApp()
    expect((await add(app, {}, headers as Headers)).json()).toMatchObject({ status: 400, code: 'invalid-precondition' })
  })

  test('GET answers 304 to whoever has the version', async () => {
    const { app } = await testApp()
    await add(app)
    expect((await app.inject({ url, headers: { 'if-none-match': '"1"' } })).statusCode).toBe(304)
  })
})
