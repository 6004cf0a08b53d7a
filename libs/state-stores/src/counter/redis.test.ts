import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { testAgainstMemory } from './contract/differential.ts'
import { describeCounterContract, type CounterHarness, type HarnessOptions } from './contract.ts'
import { redisCounterStore } from './redis.ts'

const runs = Number(process.env['COUNTER_MODEL_RUNS'] ?? 60)

await describeOnBackend('redis', (backend) => {
  const start = async (limits: HarnessOptions = {}): Promise<CounterHarness> => {
    const prefix = `test-${randomUUID()}`
    const url = `${backend.url}/0?prefix=${prefix}`
    let nowMs = 1_700_000_000_000
    const now = (): number => nowMs
    const open = () => redisCounterStore({ ...limits, url, now })
    const store = await open()
    // What a failed test left stays, to be looked at.
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'pass') await forget(backend.url, prefix)
    })
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    const reopen = async () => {
      await store.close()
      return open()
    }
    return { store, nowMs: now, pass, reopen }
  }
  describeCounterContract('redis', start, { atomicity: 'batch', durable: true, clock: 'store' })
  testAgainstMemory(start, runs)
})

async function forget(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url)
  const keys = await redis.keys(`{${prefix}}:*`)
  if (keys.length > 0) await redis.del(keys)
  redis.disconnect()
}
