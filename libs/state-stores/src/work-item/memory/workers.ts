import { createHash } from 'node:crypto'
import {
  bumpLeases,
  isAlive,
  leaseOf,
  takesSlots,
  moveToTargets,
  sameFence,
  type MemoryRow,
  type MemoryState,
} from './state.ts'
import type { Refused, WorkerIdentity, WorkerLease, WorkerSide } from '../port.ts'

const maximum = 2 ** 31 - 1

export function memoryWorkers(state: MemoryState): WorkerSide {
  const current = (worker: WorkerIdentity): Refused => {
    const lease = leaseOf(state, worker)
    return lease === undefined ? { kind: 'superseded' } : { kind: 'fenced', lease: portLease(worker, lease) }
  }
  const holds = (lease: WorkerLease) => {
    const held = leaseOf(state, lease)
    return held !== undefined && sameFence(held.fence, lease.fence) ? held : undefined
  }
  const rowsIn = (slots: readonly number[]): [string, MemoryRow][] => {
    const wanted = new Set(slots)
    return [...state.rows].filter(([, row]) => wanted.has(row.slot))
  }
  const waiting = (name: string) =>
    [...state.owners.keys()].filter(
      (slot) => state.owners[slot] === name && state.targets[slot] !== name && takesSlots(state, state.targets[slot]),
    ).length

  return {
    async register({ name, incarnation }, { weight, ttlMs, zone = '' }) {
      const before = state.leases.get(name)
      const fence = before?.fence ?? { epoch: 0n, nonce: '' }
      state.leases.set(name, { incarnation, fence, slots: before?.slots ?? [] })
      bumpLeases(state, [name])
      const known = state.workers.get(name) ?? { rows: 0, lastTickMs: 0, longestGapTicks: 0 }
      state.workers.set(name, {
        ...known,
        longestGapTicks: 0,
        incarnation,
        weight,
        zone,
        draining: false,
        away: false,
        expiresAtMs: state.nowMs() + ttlMs,
      })
      const lease = leaseOf(state, { name, incarnation })
      if (lease === undefined) throw new Error(`${name} could not register`)
      return portLease({ name, incarnation }, lease)
    },
    async heartbeat({ name, incarnation }, { ttlMs, rows, lastTickMs, longestGapTicks }) {
      const worker = state.workers.get(name)
      if (worker === undefined || worker.incarnation !== incarnation) return { kind: 'superseded' }
      worker.expiresAtMs = state.nowMs() + ttlMs
      worker.rows = rows
      worker.lastTickMs = Math.max(worker.lastTickMs, lastTickMs)
      worker.longestGapTicks = Math.max(worker.longestGapTicks, longestGapTicks)
      const takers = [...state.workers].filter(
        ([other, { draining }]) => other !== name && !draining && takesSlots(state, other),
      )
      return {
        kind: 'alive',
        draining: worker.draining,
        otherTakers: takers.length,
        paused: state.pausedTick !== undefined,
      }
    },
    async tick(lease, clock) {
      const held = holds(lease)
      if (held === undefined) return current(lease)
      const nowMs = state.nowMs()
      if (clock !== undefined && Math.abs(nowMs - clock.expectedNowMs) > clock.clockToleranceMs) {
        return { kind: 'clock-jump', nowMs, expectedNowMs: clock.expectedNowMs }
      }
      const tick = BigInt(Math.floor(nowMs / 1000))
      const ids: string[] = []
      let [saturated, caughtUp, longestGapTicks] = [0, 0, 0]
      for (const [id, row] of rowsIn(held.slots)) {
        if (row.value === undefined || row.lastTick >= tick) continue
        const gap = Number(tick - row.lastTick)
        row.value = Math.min(row.value + gap, maximum)
        row.lastTick = tick
        row.worker = lease.name
        ids.push(id)
        if (row.value === maximum) saturated += 1
        caughtUp += gap - 1
        longestGapTicks = Math.max(longestGapTicks, gap)
      }
      const toHandOver = waiting(lease.name)
      const rows = ids.length
      const fingerprint = fingerprintOf(ids)
      return { kind: 'ticked', tick, nowMs, rows, saturated, caughtUp, longestGapTicks, fingerprint, toHandOver }
    },
    async handOver(lease) {
      if (holds(lease) === undefined) return current(lease)
      const { moved, involved } = moveToTargets(state, (owner) => owner === lease.name)
      if (moved > 0) bumpLeases(state, involved)
      return { kind: 'handed-over', lease: portLease(lease, leaseOf(state, lease) ?? lease), slots: moved }
    },
    async watched({ slots }, limit) {
      const ids = rowsIn(slots)
        .map(([id]) => id)
        .toSorted()
      return { rows: ids.length, ids: ids.length <= limit ? ids : undefined, fingerprint: fingerprintOf(ids) }
    },
    async drain({ name, incarnation }) {
      const worker = state.workers.get(name)
      if (worker === undefined || !isAlive(state, name)) return false
      if (incarnation !== undefined && incarnation !== worker.incarnation) return false
      worker.draining = true
      return true
    },
    async leave({ name, incarnation }, { restartWithinMs } = { restartWithinMs: 0 }) {
      const worker = state.workers.get(name)
      if (worker?.incarnation !== incarnation) return
      worker.away = restartWithinMs > 0 && !worker.draining
      worker.expiresAtMs = state.nowMs() + (worker.away ? restartWithinMs : 0)
    },
  }
}

function portLease(
  { name, incarnation }: WorkerIdentity,
  { fence, slots }: Pick<WorkerLease, 'fence' | 'slots'>,
): WorkerLease {
  return { name, incarnation, fence, slots }
}

function fingerprintOf(ids: readonly string[]): string {
  return ids.length === 0 ? '0' : createHash('sha256').update(ids.toSorted().join()).digest('hex').slice(0, 16)
}
