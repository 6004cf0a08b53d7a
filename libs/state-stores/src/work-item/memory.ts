import { randomUUID } from 'node:crypto'
import { defaultSlots, slotOf } from '@ballast/hashing'
import type { WorkItemStore } from './port.ts'
import { memoryLeaders } from './memory/leaders.ts'
import { memoryRows } from './memory/rows.ts'
import { memoryOperator } from './memory/operator.ts'
import type { MemoryState } from './memory/state.ts'
import { memoryWorkers } from './memory/workers.ts'

export interface MemoryWorkItemOptions {
  /** A power of two. */
  readonly slots?: number
  readonly nowMs?: () => number
  readonly newId?: () => string
}

export interface MemoryWorkItems extends WorkItemStore {
  /** For tests and simulations. */
  readonly state: MemoryState
}

/** All in this process, gone with it: for tests, for a simulation with its own clock, and as the plainest statement of the rules. */
export function openMemoryWorkItems(options: MemoryWorkItemOptions = {}): MemoryWorkItems {
  const { slots = defaultSlots, nowMs = Date.now, newId = randomUUID } = options
  const empty = () => Array.from({ length: slots }, (): string | undefined => undefined)
  const state: MemoryState = {
    nowMs,
    newId,
    owners: empty(),
    targets: empty(),
    since: Array.from({ length: slots }, () => nowMs()),
    causes: empty(),
    targetCauses: empty(),
    formerOwners: Array.from({ length: slots }, () => []),
    workers: new Map(),
    leases: new Map(),
    rows: new Map(),
    events: [],
    mapVersion: 0n,
    leader: undefined,
    pausedTick: undefined,
    skips: 0n,
    limits: {},
  }
  return {
    backend: 'memory',
    slots,
    state,
    workers: memoryWorkers(state),
    leaders: memoryLeaders(state),
    operator: memoryOperator(state),
    rows: memoryRows(state, (id) => slotOf(id, slots)),
    check: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
