import { describe, expect, test } from 'vitest'
import { memoryStoreWithGate, testApp, type TestApp } from '../test-app.ts'

const post = (app: TestApp['app'], url: string, key: string, payload?: object) =>
  app.inject({ method: 'POST', url, headers: { 'idempotency-key': key }, ...(payload && { payload }) })

describe('Idempotency-Key', () => {
  test('the same request again is answered alike and applied once', async () => {
    const { app } = await testApp()
    const first = await post(app, '/', 'k')
    await app.inject({ method: 'POST', url: '/' })
    const again = await post(app, '/', '"k"')
    expect([again.body, again.headers['etag']]).toEqual([first.body, first.headers['etag']])
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true'])
    expect((await app.inject('/')).json()).toEqual({ counter: 2 })
  })

  test('holds for every write: add, set, remove', async () => {
    const { app } = await testApp()
    const url = '/v1/counters/a/b'
    const headers = { 'idempotency-key': 'k' }
    for (const expected of [undefined, 'true']) {
      const answer = await app.inject({ method: 'PUT', url, headers, payload: { value: 7, ttlMs: 60_000 } })
      expect([answer.statusCode, answer.headers['idempotency-replayed']]).toEqual([200, expected])
    }
    for (const expected of [undefined, 'true']) {
      const answer = await app.inject({ method: 'DELETE', url, headers: { 'idempotency-key': 'd' } })
      expect([answer.statusCode, answer.headers['idempotency-replayed']]).toEqual([204, expected])
    }
  })

  test('another request under the same key is refused, also with another condition or time to live', async () => {
    const { app } = await testApp()
    const url = '/v1/counters/a/b/add'
    await post(app, url, 'k', { by: 5, ttlMs: 1000 })
    for (const payload of [{ by: 6, ttlMs: 1000 }, { by: 5, ttlMs: 1001 }, { by: 5 }]) {
      expect((await post(app, url, 'k', payload)).json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    }
    const headers = { 'idempotency-key': 'k', 'if-match': '"1"' }
    const conditional = await app.inject({ method: 'POST', url, headers, payload: { by: 5, ttlMs: 1000 } })
    expect(conditional.statusCode).toBe(422)
  })

  test('the same in other words is the same request, later too', async () => {
    const { app, pass } = await testApp()
    const url = '/v1/counters/a/b/add'
    await post(app, url, 'k', { by: 5, ttlMs: 1000 })
    pass(500)
    const again = await post(app, url, 'k', { ttlMs: 1000, by: '5' })
    expect([again.statusCode, again.headers['idempotency-replayed']]).toEqual([200, 'true'])
  })

  test('a refusal is answered again', async () => {
    const { app } = await testApp()
    const url = '/v1/counters/a/b/add'
    const first = await post(app, url, 'k', { by: 5, max: 3 })
    await app.inject({ method: 'POST', url, payload: { by: -9 } })
    const again = await post(app, url, 'k', { by: 5, max: 3 })
    expect([first.statusCode, again.statusCode, again.headers['idempotency-replayed']]).toEqual([409, 409, 'true'])
  })

  test('one key for two counters is two keys', async () => {
    const { app } = await testApp()
    const values = []
    for (const name of ['b', 'c'])
      values.push((await post(app, `/v1/counters/a/${name}/add`, 'k')).json<{ value: string }>().value)
    expect(values).toEqual(['1', '1'])
  })

  test.each(['', '"', 'a b', 'ä', 'x'.repeat(256), 'a"b'])('%j is no key', async (key) => {
    const { app } = await testApp()
    expect((await post(app, '/', key)).json()).toMatchObject({ status: 400, code: 'invalid-idempotency-key' })
  })

  test('while the first request is under way, a second one is told to come back', async () => {
    const { store, release } = await memoryStoreWithGate()
    const { app } = await testApp({ store })
    const first = post(app, '/', 'k').then((answer) => answer)
    const second = await post(app, '/', 'k')
    expect([second.statusCode, second.json().code, second.headers['retry-after']]).toEqual([
      409,
      'idempotency-key-in-flight',
      '1',
    ])
    release()
    expect((await first).json()).toEqual({ counter: 1 })
    expect((await post(app, '/', 'k')).headers['idempotency-replayed']).toBe('true')
  })

  test('when no more keys can be kept, new ones get 429, known ones their answer, and requests without one go on', async () => {
    const { app, pass } = await testApp({ maxTokens: 1 })
    await post(app, '/', '1')
    const full = await post(app, '/', '2')
    expect([full.statusCode, full.json().code, full.headers['retry-after']]).toEqual([429, 'token-window-full', '5'])
    expect((await post(app, '/', '1')).statusCode).toBe(200)
    expect((await app.inject({ method: 'POST', url: '/' })).statusCode).toBe(200)
    pass(600_000)
    expect((await post(app, '/', '2')).json()).toEqual({ counter: 3 })
  })
})
