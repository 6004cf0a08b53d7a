import { waitUntil } from '@ballast/testing'
import { app } from '../../../platform/services/app.ts'
import type { BenchCase } from '../../case.ts'
import { startServer } from '../../server.ts'
import { tableOf } from './table.ts'

const rows = 10_000

export const joinReaction: BenchCase = {
  name: 'scaler/join-reaction-ms',
  unit: 'ms',
  higherIsBetter: false,
  compares: `from the registration of a worker to the plan that gives it its share of ${rows} rows; a control plane with its defaults`,
  async open(stack) {
    const { store, url } = await tableOf(stack, rows)
    await startServer(stack, app('scaler', 'control-plane', 0), { SCALER_STORE: url })
    let joined = 0
    const join = async (): Promise<number> => {
      const name = `bench-${joined++}`
      const startedMs = performance.now()
      await store.workers.register({ name, incarnation: crypto.randomUUID() }, { weight: 1, ttlMs: 3_600_000 })
      const planned = async () => (await store.leaders.map()).targets.includes(name)
      await waitUntil(planned, { timeoutMs: 60_000, everyMs: 10, what: 'the plan' })
      return performance.now() - startedMs
    }
    return { ours: join }
  },
}
