import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { ownNamespaceOfTest } from '@ballast/backends/own-namespace'
import { testAgainstMemory } from './contract/differential.ts'
import { describeCounterContract, type CounterHarness, type HarnessOptions } from './contract.ts'
import { dropKeys } from '../redis/test/kept-when-failed.ts'
import { redisCounterStore } from './redis.ts'

const runs = Number(process.env['COUNTER_MODEL_RUNS'] ?? 60)

await describeOnBackend('redis', (backend) => {
  const start = async (limits: HarnessOptions = {}): Promise<CounterHarness> => {
    const prefix = ownNamespaceOfTest(backend.url, (name) => dropKeys(backend.url, name))
    const url = `${backend.url}/0?prefix=${prefix}`
    let nowMs = 1_700_000_000_000
    const now = (): number => nowMs
    const open = () => redisCounterStore({ ...limits, url, now })
    const store = await open()
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
