import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

async function failing(error: Error): Promise<CounterStore> {
  const commit = async (): Promise<never> => {
    throw error
  }
  return { ...(await openCounterStore('memory:')), commit }
}

test.each([
  ['not-applied', 503, '1', new NotAppliedError('the disk says no')],
  [
    'store-full',
    507,
    '1',
    new NotAppliedError('x', { cause: Object.assign(new Error('no space'), { code: 'ENOSPC' }) }),
  ],
  ['outcome-unknown', 504, undefined, new OutcomeUnknownError('the disk says nothing')],
  ['internal', 500, undefined, new Error('a bug')],
])('a store that fails is answered %s, %i', async (code, status, retryAfter, error) => {
  const { app } = await testApp({ store: await failing(error) })
  const answer = await app.inject({ method: 'POST', url: '/' })
  expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([status, code, retryAfter])
  expect(answer.body).not.toContain('disk says')
  expect((await app.inject('/')).statusCode).toBe(200)
})

test('what happens is counted', async () => {
  const { app } = await testApp()
  const headers = { 'idempotency-key': 'k' }
  await app.inject({ method: 'POST', url: '/', headers })
  await app.inject({ method: 'POST', url: '/', headers })
  await app.inject({ method: 'DELETE', url: '/v1/counters/a/none' })
  const { body } = await app.inject('/metrics')
  for (const line of [
    'counter_operations_total{service="counter"} 1',
    'counter_idempotency_replays_total{service="counter"} 1',
    'counter_refusals_total{reason="not-found",service="counter"} 1',
    'counter_queue_depth{service="counter"} 0',
  ]) {
    expect(body.split('\n')).toContain(line)
  }
})
