import { NotAppliedError } from '../outcome.ts'
import { checkOps } from './check-ops.ts'
import { fold } from './fold.ts'
import { steadyNow, tokenLimits, type CounterStoreOptions } from './options.ts'
import type { CounterStore } from './port.ts'
import { CounterState } from './state.ts'

/** Counters of one process, gone with it: for tests, and to measure what the other stores cost. */
export function memoryCounterStore(options: CounterStoreOptions = {}): CounterStore {
  const { now = steadyNow } = options
  const limits = tokenLimits(options)
  const state = new CounterState()
  const nowMs = (): number => state.advance(now())
  let closed = false
  const close = async (): Promise<void> => void (closed = true)
  const check = async (): Promise<void> => {
    if (closed) throw new NotAppliedError('the store is closed')
  }
  return {
    capabilities: { atomicity: 'batch', durable: false, clock: 'store' },
    depth: 0,
    nowMs,
    async commit(ops) {
      await check()
      checkOps(ops)
      const folded = fold(state, ops, nowMs(), limits)
      state.merge(folded)
      return folded.outcomes
    },
    async read(names) {
      nowMs()
      return names.map((name) => state.get(name))
    },
    async scan(scan) {
      nowMs()
      return state.scan(scan)
    },
    check,
    close,
    [Symbol.asyncDispose]: close,
  }
}
