import { describeCounterContract } from './contract.ts'
import { memoryCounterStore } from './memory.ts'

describeCounterContract(
  'memory',
  async (limits) => {
    let nowMs = 1_700_000_000_000
    const now = (): number => nowMs
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    return { store: memoryCounterStore({ ...limits, now }), nowMs: now, pass }
  },
  { atomicity: 'batch', durable: false, clock: 'store' },
)
