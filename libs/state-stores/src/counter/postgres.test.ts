import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { ownNamespaceOfTest } from '@ballast/backends/own-namespace'
import pg from 'pg'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { add, one, remove, token } from './contract/operations.ts'
import { testAgainstMemory } from './contract/differential.ts'
import { describeCounterContract, type CounterHarness, type HarnessOptions } from './contract.ts'
import { postgresCounterStore } from './postgres.ts'

const runs = Number(process.env['COUNTER_MODEL_RUNS'] ?? 30)

await describeOnBackend('postgres', (backend) => {
  const freshSchema = (): string => ownNamespaceOfTest(backend.url, (schema) => forget(backend.url, schema))
  const start = async (limits: HarnessOptions = {}): Promise<CounterHarness> => {
    const schema = freshSchema()
    const url = `${backend.url}?schema=${schema}`
    let nowMs = 1_700_000_000_000
    const now = (): number => nowMs
    const open = () => postgresCounterStore({ ...limits, url, now })
    const store = await open()
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    const reopen = async () => {
      await store.close()
      return open()
    }
    return { store, nowMs: now, pass, reopen }
  }
  describeCounterContract('postgres', start, { atomicity: 'batch', durable: true, clock: 'store' })
  testAgainstMemory(start, runs)

  test('expiry goes by the database, and what is worthless is swept, a little at a time', async () => {
    const schema = freshSchema()
    await using store = await postgresCounterStore({
      url: `${backend.url}?schema=${schema}`,
      sweepEveryMs: 50,
      tokenWindowMs: 1_000,
    })
    await using client = await connect(backend.url)
    await one(store, add('n/gone', 1n))
    expect(Math.abs(store.nowMs() - Date.now())).toBeLessThan(5_000)
    await store.commit([
      add('n/a', 1n, { expiresAtMs: store.nowMs() + 300, token: token('k') }),
      add('n/b', 1n, { expiresAtMs: store.nowMs() + 3_600_000 }),
      remove('n/gone'),
    ])
    const left = async (table: string): Promise<number> =>
      (await client.query(`SELECT FROM ${schema}.${table}`)).rowCount ?? 0
    await waitUntil(
      async () => (await left('counters')) === 1 && (await left('tokens')) + (await left('token_tally')) === 0,
    )
    await expect(store.scan({ limit: 9 })).resolves.toMatchObject([{ name: 'n/b', value: 1n }])
    // What became of a commit can be told for a while.
    expect(await left('batches')).toBe(2)
  })
})

async function forget(url: string, schema: string): Promise<void> {
  await using client = await connect(url)
  await client.query(`DROP SCHEMA ${schema} CASCADE`)
}

async function connect(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('SET client_min_messages = error')
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
