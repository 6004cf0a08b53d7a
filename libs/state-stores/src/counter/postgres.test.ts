import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { testAgainstMemory } from './contract/differential.ts'
import { describeCounterContract, type CounterHarness, type HarnessOptions } from './contract.ts'
import { postgresCounterStore } from './postgres.ts'

const runs = Number(process.env['COUNTER_MODEL_RUNS'] ?? 30)

await describeOnBackend('postgres', (backend) => {
  const start = async (limits: HarnessOptions = {}): Promise<CounterHarness> => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`
    const url = `${backend.url}?schema=${schema}`
    let nowMs = 1_700_000_000_000
    const now = (): number => nowMs
    const open = () => postgresCounterStore({ ...limits, url, now })
    const store = await open()
    // What a failed test left stays, to be looked at.
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'pass') await forget(backend.url, schema)
    })
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    const reopen = async () => {
      await store.close()
      return open()
    }
    return { store, nowMs: now, pass, reopen }
  }
  describeCounterContract('postgres', start, { atomicity: 'batch', durable: true, clock: 'store' })
  testAgainstMemory(start, runs)
})

async function forget(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`SET client_min_messages = error; DROP SCHEMA ${schema} CASCADE`)
  await client.end()
}
