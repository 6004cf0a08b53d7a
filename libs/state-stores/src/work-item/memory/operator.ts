import type { OperatorSide } from '../port.ts'
import { bumpLeases, type MemoryState } from './state.ts'

export function memoryOperator(state: MemoryState): OperatorSide {
  const now = (): bigint => BigInt(Math.floor(state.nowMs() / 1000))
  return {
    async pause() {
      if (state.pausedTick !== undefined) return 'already-paused'
      state.pausedTick = now()
      bumpLeases(state, state.leases.keys())
      return 'paused'
    },
    async resume({ catchUp }) {
      const { pausedTick } = state
      if (pausedTick === undefined) return
      const tick = now()
      if (!catchUp) {
        for (const row of state.rows.values()) {
          const due = row.lastTick < pausedTick ? pausedTick - row.lastTick : 0n
          if (row.lastTick < tick) row.lastTick = tick - due
        }
        state.skips += 1n
      }
      state.pausedTick = undefined
      bumpLeases(state, state.leases.keys())
    },
    async pauseState() {
      const { pausedTick, skips, mapVersion } = state
      const pausedSinceMs = pausedTick === undefined ? undefined : Number(pausedTick) * 1000
      return { pausedSinceMs, resuming: false, skips, mapVersion }
    },
    async limits() {
      return state.limits
    },
    async setLimits(limits) {
      const set: Record<string, number | boolean> = { ...state.limits }
      for (const [name, value] of Object.entries(limits)) {
        if (value === null) delete set[name]
        else set[name] = value
      }
      state.limits = set
    },
  }
}
