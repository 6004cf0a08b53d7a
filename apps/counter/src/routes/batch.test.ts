import { describe, expect, test } from 'vitest'
import { testApp, type TestApp } from '../test-app.ts'

const at = (name: string) => ({ namespace: 'a', name })
const send = (app: TestApp['app'], operations: object[], headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/v1/batch', headers, payload: { operations } })

describe('a batch', () => {
  test('applies in order, with an outcome each', async () => {
    const { app } = await testApp()
    const answer = await send(app, [
      { op: 'add', ...at('x'), by: 2 },
      { op: 'add', ...at('x') },
      { op: 'set', ...at('y'), value: '9' },
      { op: 'remove', ...at('none') },
      { op: 'remove', ...at('x'), ifVersion: 'any' },
    ])
    expect(answer.json()).toEqual({
      atomicity: 'batch',
      outcomes: [
        { ok: true, replayed: false, ...at('x'), value: '2', previous: '0', version: '1' },
        { ok: true, replayed: false, ...at('x'), value: '3', previous: '2', version: '2' },
        { ok: true, replayed: false, ...at('y'), value: '9', previous: '0', version: '3' },
        { ok: false, replayed: false, code: 'counter-not-found', detail: 'a/none does not exist.' },
        { ok: true, replayed: false, ...at('x'), value: '0', previous: '3', version: '4' },
      ],
    })
  })

  test('a refused operation tells what stood in its way', async () => {
    const { app } = await testApp()
    const answer = await send(app, [
      { op: 'add', ...at('x') },
      { op: 'add', ...at('x'), ifVersion: '0' },
    ])
    expect(answer.json().outcomes[1]).toMatchObject({ ok: false, code: 'version-mismatch', current: { value: '1' } })
  })

  test('under a key is applied once; changed in any way, even its order, it is another request', async () => {
    const { app } = await testApp()
    const operations = [
      { op: 'add', ...at('x') },
      { op: 'add', ...at('y') },
    ]
    const headers = { 'idempotency-key': 'k' }
    const first = await send(app, operations, headers)
    const again = await send(app, operations, headers)
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.body).toBe(first.body.replaceAll('"replayed":false', '"replayed":true'))
    for (const other of [operations.toReversed(), operations.slice(0, 1), [...operations, ...operations]]) {
      expect((await send(app, other, headers)).json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    }
    expect((await app.inject('/v1/counters/a/x')).json()).toMatchObject({ value: '1' })
  })

  test('return=minimal is 204 when all went well, and the outcomes when not', async () => {
    const { app } = await testApp()
    const headers = { prefer: 'return=minimal' }
    expect((await send(app, [{ op: 'add', ...at('x') }], headers)).statusCode).toBe(204)
    expect((await send(app, [{ op: 'remove', ...at('none') }], headers)).statusCode).toBe(200)
  })

  test.each([
    [[]],
    [[{ op: 'add', namespace: 'a' }]],
    [[{ op: 'double', ...at('x') }]],
    [[{ op: 'set', ...at('x') }]],
    [[{ op: 'remove', ...at('x'), by: 1 }]],
    [Array.from({ length: 1001 }, () => ({ op: 'add', ...at('x') }))],
  ])('%j is refused', async (operations) => {
    const { app } = await testApp()
    expect((await send(app, operations)).statusCode).toBe(400)
  })

  test.each(['if-match', 'if-none-match'])('%s is refused, not ignored', async (header) => {
    const { app } = await testApp()
    const answer = await send(app, [{ op: 'add', ...at('x') }], { [header]: '*' })
    expect(answer.json()).toMatchObject({ status: 400, code: 'invalid-precondition' })
    expect(answer.json().detail).toBe(`a batch takes no ${header} header: give its operations an ifVersion.`)
    expect((await app.inject('/v1/counters/a/x')).statusCode).toBe(404)
  })

  test('one operation that makes no sense refuses all', async () => {
    const { app } = await testApp()
    const answer = await send(app, [
      { op: 'add', ...at('x') },
      { op: 'add', ...at('y'), by: '9223372036854775808' },
    ])
    expect(answer.json()).toMatchObject({ status: 400, code: 'invalid-number' })
    expect((await app.inject('/v1/counters/a/x')).statusCode).toBe(404)
  })

  test('when keys run out half way, the rest is refused, and the same batch later finishes it', async () => {
    const { app, pass } = await testApp({ maxTokens: 1 })
    const operations = [
      { op: 'add', ...at('x') },
      { op: 'add', ...at('y') },
    ]
    const headers = { 'idempotency-key': 'k' }
    const half = await send(app, operations, headers)
    expect(half.json().outcomes).toMatchObject([{ ok: true }, { ok: false, code: 'token-window-full' }])
    expect((await send(app, operations, { 'idempotency-key': 'other' })).statusCode).toBe(429)
    expect((await send(app, operations, headers)).json().outcomes).toMatchObject([
      { ok: true, replayed: true },
      { ok: false },
    ])
    pass(600_000)
    expect((await app.inject('/v1/counters/a/y')).statusCode).toBe(404)
  })
})
