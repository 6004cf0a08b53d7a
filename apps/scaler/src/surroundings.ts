import { randomUUID } from 'node:crypto'
import { setTimeout as timeout } from 'node:timers/promises'

/** What a process takes from its surroundings besides the store: time that only goes forward, chance, and waiting. */
export interface Surroundings {
  readonly monotonicMs: () => number
  /** At least 0, below 1. */
  readonly random: () => number
  readonly newId: () => string
  /** Resolves after `ms`, or as soon as the signal is aborted. */
  readonly delay: (ms: number, signal?: AbortSignal) => Promise<void>
}

export const realSurroundings: Surroundings = {
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  newId: () => randomUUID(),
  delay: (ms, signal) => timeout(ms, undefined, { signal }).catch(() => {}),
}
