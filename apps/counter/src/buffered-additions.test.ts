import type { CounterStore } from '@ballast/state-stores/counter'
import { openCounterStore } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { expect, test } from 'vitest'
import { testApp, type TestApp } from './test-app.ts'

const add = (app: TestApp['app'], name: string, payload: object = {}, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: `/v1/counters/${name}/add`, payload, headers })
const value = async (app: TestApp['app'], name: string): Promise<unknown> =>
  (await app.inject(`/v1/counters/${name}`)).json<{ value?: string }>().value

test('an addition to a buffered counter is accepted with 202, its level and what it risks, and counts after a flush', async () => {
  const { app, buffer } = await testApp({ buffered: ['hits/*', 'shop/views'] })
  const accepted = await add(app, 'hits/a', { by: '3' })
  expect([accepted.statusCode, accepted.headers['counter-durability']]).toEqual([
    202,
    'buffered; loss-window-ms=3600000',
  ])
  expect(accepted.json()).toEqual({ namespace: 'hits', name: 'a', accepted: '3', lossWindowMs: 3_600_000 })
  await add(app, 'hits/a')
  expect((await add(app, 'shop/views')).statusCode).toBe(202)
  expect((await add(app, 'shop/views2')).statusCode).toBe(200)
  expect((await add(app, 'shop/views2')).headers['counter-durability']).toBe('volatile')
  expect(await value(app, 'hits/a')).toBeUndefined()
  await buffer.flush()
  expect([await value(app, 'hits/a'), await value(app, 'shop/views')]).toEqual(['4', '1'])
  expect((await app.inject('/metrics')).body).toContain('counter_operations_total{service="counter"} 4')
})

test('whoever wants an answer gets a durable one, after what was accepted before it', async () => {
  const { app } = await testApp({ buffered: ['a/*'] })
  await add(app, 'a/b', { by: 5 })
  const bounded = await add(app, 'a/b', { by: 1, max: 100 })
  expect([bounded.statusCode, bounded.json()]).toMatchObject([200, { previous: '5', value: '6' }])
  expect((await add(app, 'a/b', {}, { 'idempotency-key': 'k' })).statusCode).toBe(200)
  expect((await add(app, 'a/b', {}, { 'if-match': '*' })).statusCode).toBe(200)
  await add(app, 'a/b', { by: 7 })
  await app.inject({ method: 'PUT', url: '/v1/counters/a/b', payload: { value: 1 } })
  expect(await value(app, 'a/b')).toBe('1')
})

/** A store whose commits fail as they are told to, some after they were applied. */
async function failing(...errors: Error[]): Promise<CounterStore> {
  const memory = await openCounterStore('memory:')
  const commit: CounterStore['commit'] = async (ops) => {
    const error = errors.shift()
    if (error instanceof OutcomeUnknownError) await memory.commit(ops)
    if (error !== undefined) throw error
    return memory.commit(ops)
  }
  return { ...memory, commit }
}

test('what was not applied is tried again, what may have been is never doubled', async () => {
  const store = await failing(new NotAppliedError('full'), new OutcomeUnknownError('lost'))
  const { app, buffer, losses } = await testApp({ store, buffered: ['a/*'] })
  await add(app, 'a/b', { by: 2 })
  await add(app, 'a/b', { by: 3 })
  await buffer.flush()
  expect([await value(app, 'a/b'), losses]).toEqual([undefined, []])
  await buffer.flush()
  await buffer.flush()
  expect([await value(app, 'a/b'), losses]).toEqual(['5', [{ additions: 2, reason: 'outcome-unknown' }]])
})

test('while what was accepted waits for longer than it was said to, nothing more is', async () => {
  const full = new NotAppliedError('full')
  const { app, buffer } = await testApp({ store: await failing(full, full, full), buffered: ['a/*'] })
  await add(app, 'a/b', { by: 2 })
  await buffer.flush()
  const refused = await add(app, 'a/b', { by: 3 })
  expect(refused.json()).toMatchObject({ status: 503, code: 'not-applied' })
  expect((await add(app, 'a/b', { by: 4 })).json()).toMatchObject({ previous: '2', value: '6' })
  expect((await add(app, 'a/b')).statusCode).toBe(202)
})

test('sums beyond 64 bits are not buffered; what the store refuses is told of', async () => {
  const { app, buffer, losses } = await testApp({ buffered: ['a/*'] })
  await add(app, 'a/b', { by: '9223372036854775807' })
  const beyond = await add(app, 'a/b', { by: 1 })
  expect(beyond.json()).toMatchObject({ status: 422, code: 'counter-overflow' })
  expect((await add(app, 'a/b')).statusCode).toBe(202)
  await buffer.flush()
  expect(losses).toEqual([{ additions: 1, reason: 'refused' }])
  expect((await add(app, 'a/b', { by: '99999999999999999999' })).json()).toMatchObject({ status: 400 })
})

test('at the end what waits is committed; what cannot be is told of', async () => {
  const full = new NotAppliedError('full')
  const { app, store, buffer } = await testApp({ buffered: ['a/*'] })
  await add(app, 'a/b')
  await buffer.close()
  await expect(store.read(['a/b'])).resolves.toMatchObject([{ value: 1n }])
  expect((await add(app, 'a/b')).statusCode).toBe(200)
  const broken = await testApp({ store: await failing(full, full, full), buffered: ['a/*'] })
  await add(broken.app, 'a/b')
  await broken.buffer.close()
  expect(broken.losses).toEqual([{ additions: 1, reason: 'stopped' }])
})
