import type { Fence, FormerOwner, Leader, Limits, WorkerIdentity } from '../port.ts'

/** Everything the store knows. One thread, no await inside a step: each step is atomic. */
export interface MemoryState {
  readonly nowMs: () => number
  readonly newId: () => string
  readonly owners: (string | undefined)[]
  readonly targets: (string | undefined)[]
  readonly since: number[]
  /** Why each slot's owner got it, and why its target shall. */
  readonly causes: (string | undefined)[]
  readonly targetCauses: (string | undefined)[]
  readonly formerOwners: (readonly FormerOwner[])[]
  readonly workers: Map<string, MemoryWorker>
  readonly leases: Map<string, MemoryLease>
  readonly rows: Map<string, MemoryRow>
  readonly events: { atMs: number; kind: string; detail: Readonly<Record<string, unknown>> }[]
  mapVersion: bigint
  leader: { name: string; fence: Fence; expiresAtMs: number } | undefined
  pausedTick: bigint | undefined
  skips: bigint
  limits: Limits
}

export interface MemoryWorker {
  incarnation: string
  weight: number
  zone: string
  draining: boolean
  away: boolean
  expiresAtMs: number
  rows: number
  lastTickMs: number
  longestGapTicks: number
}

export interface MemoryLease {
  readonly incarnation: string
  readonly fence: Fence
  readonly slots: readonly number[]
}

export interface MemoryRow {
  readonly slot: number
  readonly born: string
  value: number | undefined
  lastTick: bigint
  worker: string | undefined
}

export function isAlive({ workers, nowMs }: MemoryState, name: string | undefined): boolean {
  const worker = name === undefined ? undefined : workers.get(name)
  return worker !== undefined && worker.expiresAtMs > nowMs()
}

/** Alive, and not away: may be given slots. */
export function takesSlots(state: MemoryState, name: string | undefined): boolean {
  return isAlive(state, name) && state.workers.get(name ?? '')?.away === false
}

export function sameFence(a: Fence, b: Fence): boolean {
  return a.epoch === b.epoch && a.nonce === b.nonce
}

export function leads({ leader, nowMs }: MemoryState, claim: Leader): boolean {
  return leader !== undefined && leader.expiresAtMs > nowMs() && sameFence(leader.fence, claim.fence)
}

/** The lease that this incarnation holds now; undefined when another one has taken the name. */
export function leaseOf({ leases }: MemoryState, { name, incarnation }: WorkerIdentity): MemoryLease | undefined {
  const lease = leases.get(name)
  return lease?.incarnation === incarnation ? lease : undefined
}

/** New fences, and the slots that the map gives now, for all named workers in one step. */
export function bumpLeases(state: MemoryState, names: Iterable<string>): void {
  state.mapVersion += 1n
  for (const name of names) {
    const lease = state.leases.get(name)
    if (lease === undefined) continue
    const paused = state.pausedTick !== undefined
    const slots = paused ? [] : [...state.owners.keys()].filter((slot) => state.owners[slot] === name)
    const fence = { epoch: lease.fence.epoch + 1n, nonce: state.newId() }
    state.leases.set(name, { incarnation: lease.incarnation, fence, slots })
  }
}

/** Moves each slot that `mayMove` to its target, when that lives. Returns who gave and who took. */
export function moveToTargets(
  state: MemoryState,
  mayMove: (owner: string | undefined) => boolean,
): { moved: number; involved: Set<string> } {
  const involved = new Set<string>()
  let moved = 0
  for (const [slot, target] of state.targets.entries()) {
    const owner = state.owners[slot]
    if (owner === target || target === undefined || !mayMove(owner) || !takesSlots(state, target)) continue
    if (owner !== undefined) {
      const former = { owner, sinceMs: state.since[slot] ?? 0, cause: state.causes[slot] }
      state.formerOwners[slot] = [former, ...(state.formerOwners[slot] ?? [])].slice(0, 5)
    }
    state.owners[slot] = target
    state.causes[slot] = state.targetCauses[slot]
    state.since[slot] = state.nowMs()
    for (const name of [owner, target]) if (name !== undefined) involved.add(name)
    moved += 1
  }
  return { moved, involved }
}
