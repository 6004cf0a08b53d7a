import { largestValue } from '@ballast/state-stores/counter'
import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

test('POST / adds 1 and answers the value, GET / answers it, and 0 before anybody has counted', async () => {
  const { app } = await testApp()
  expect((await app.inject('/')).json()).toEqual({ counter: 0 })
  const counted = await app.inject({ method: 'POST', url: '/' })
  expect([counted.statusCode, counted.body, counted.headers['etag']]).toEqual([200, '{"counter":1}', '"1"'])
  await app.inject({ method: 'POST', url: '/' })
  const read = await app.inject('/')
  expect([read.body, read.headers['content-type'], read.headers['etag']]).toEqual([
    '{"counter":2}',
    'application/json; charset=utf-8',
    '"2"',
  ])
})

test('whoever accepts plain text and no JSON gets the bare number', async () => {
  const { app } = await testApp()
  const text = await app.inject({ method: 'POST', url: '/', headers: { accept: 'text/plain' } })
  expect([text.body, text.headers['content-type']]).toEqual(['1\n', 'text/plain; charset=utf-8'])
  const both = await app.inject({ url: '/', headers: { accept: 'application/json, text/plain, */*' } })
  expect(both.body).toBe('{"counter":1}')
})

test('a value that JSON would round comes as a string', async () => {
  const { app, store } = await testApp()
  await store.commit([{ kind: 'set', name: 'default/counter', to: largestValue - 1n }])
  expect((await app.inject({ method: 'POST', url: '/' })).body).toBe('{"counter":"9223372036854775807"}')
})

test('Prefer: return=minimal is 204', async () => {
  const { app } = await testApp()
  const answer = await app.inject({ method: 'POST', url: '/', headers: { prefer: 'respond-async, return=minimal' } })
  expect([answer.statusCode, answer.body, answer.headers['preference-applied']]).toEqual([204, '', 'return=minimal'])
})

test('a reader who has the version already gets 304', async () => {
  const { app } = await testApp()
  await app.inject({ method: 'POST', url: '/' })
  const fresh = await app.inject({ url: '/', headers: { 'if-none-match': '"7", W/"1"' } })
  expect([fresh.statusCode, fresh.body]).toEqual([304, ''])
  expect((await app.inject({ url: '/', headers: { 'if-none-match': '"2"' } })).statusCode).toBe(200)
})

test('it is the counter default/counter', async () => {
  const { app } = await testApp()
  await app.inject({ method: 'POST', url: '/' })
  expect((await app.inject('/v1/counters/default/counter')).json()).toMatchObject({ value: '1' })
})

test.each(['/', '/v1/counters', '/v1/counters/default/counter'])('HEAD %s is GET without the body', async (url) => {
  const { app } = await testApp()
  await app.inject({ method: 'POST', url: '/' })
  const [head, get] = [await app.inject({ method: 'HEAD', url }), await app.inject(url)]
  expect([head.statusCode, head.body, head.headers['etag']]).toEqual([200, '', get.headers['etag']])
  expect(head.headers['content-length']).toBe(get.headers['content-length'])
})
