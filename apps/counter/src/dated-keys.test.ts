import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

const windowMs = 600_000
/** The clock of the app at its start. */
const startMs = 1_700_000_000_000

/** A UUIDv7 that was made then. */
function keyOf(atMs: number): string {
  const hex = atMs.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-00000000000a`
}

async function dated() {
  const { app, pass } = await testApp({ datedKeysWithinMs: windowMs })
  const count = async (key: string) => {
    const answer = await app.inject({ method: 'POST', url: '/', headers: { 'idempotency-key': key } })
    return answer.json<{ counter?: number; code?: string; detail?: string }>()
  }
  return { count, pass }
}

test('a repetition is the same answer as long as the key is known, and refused before it is forgotten', async () => {
  const { count, pass } = await dated()
  const key = keyOf(startMs)
  expect(await count(key)).toEqual({ counter: 1 })
  pass(windowMs - 60_000)
  expect(await count(key)).toEqual({ counter: 1 })
  pass(1)
  expect(await count(key)).toMatchObject({ status: 422, code: 'idempotency-key-expired' })
  pass(windowMs)
  expect(await count(key)).toMatchObject({ code: 'idempotency-key-expired' })
  expect(await count(keyOf(startMs + 2 * windowMs))).toEqual({ counter: 2 })
})

test('a key that was never used is refused too when it is old: nobody can tell', async () => {
  const { count } = await dated()
  expect(await count(keyOf(startMs - windowMs))).toMatchObject({ code: 'idempotency-key-expired' })
})

test.each([
  ['without a time', 'k'],
  ['a random UUID', 'c2a9a3f4-9f3e-4c39-9d0b-0c8b9b1f5b11'],
  ['of a client whose clock is ahead', keyOf(startMs + 60_001)],
])('a key %s is refused', async (_, key) => {
  const { count } = await dated()
  expect(await count(key)).toMatchObject({ status: 400, code: 'invalid-idempotency-key' })
})

test('without --dated-keys any key does, and one that is forgotten counts anew', async () => {
  const { app, pass } = await testApp()
  const count = async (): Promise<unknown> =>
    (await app.inject({ method: 'POST', url: '/', headers: { 'idempotency-key': 'k' } })).json()
  expect([await count(), await count()]).toEqual([{ counter: 1 }, { counter: 1 }])
  pass(windowMs + 1)
  expect(await count()).toEqual({ counter: 2 })
})
