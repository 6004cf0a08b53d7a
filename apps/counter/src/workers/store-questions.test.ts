import { openCounterStore, type CounterOp } from '@ballast/state-stores/counter'
import { expect, onTestFinished, test } from 'vitest'
import { InFlight } from '../idempotency.ts'
import { problems } from '../problems.ts'
import { answerQuestion, toError } from './store-questions.ts'

const op = (key: string): CounterOp => ({
  kind: 'add',
  name: 'n/a',
  by: 1n,
  token: { scope: 'anonymous n/a', key, fingerprint: 'f' },
})

test('a key that one worker is serving is in flight for the others, and replayed afterwards', async () => {
  const store = await openCounterStore('memory:')
  onTestFinished(() => store.close())
  const inFlight = new InFlight()
  const gate = Promise.withResolvers<void>()
  const slow = {
    ...store,
    nowMs: () => 0,
    commit: async (ops: readonly CounterOp[]) => (await gate.promise, store.commit(ops)),
  }
  const ask = (key: string) => answerQuestion(slow, { ask: 'commit', ops: [op(key)], by: 'anonymous' }, inFlight)
  const first = ask('k/0')
  const other = ask('l/0')
  const second = await ask('k/0')
  expect(second.failure).toMatchObject({ kind: 'in-flight' })
  const problem = toError(second.failure ?? { kind: 'other', message: '' })
  expect(problem).toMatchObject({
    code: 'idempotency-key-in-flight',
    status: problems.types['idempotency-key-in-flight'].status,
  })
  gate.resolve()
  await expect(first).resolves.toMatchObject({ outcomes: [{ ok: true, value: 1n, replayed: false }] })
  await expect(other).resolves.toMatchObject({ outcomes: [{ ok: true, value: 2n, replayed: false }] })
  await expect(ask('k/0')).resolves.toMatchObject({ outcomes: [{ ok: true, value: 1n, replayed: true }] })
})
