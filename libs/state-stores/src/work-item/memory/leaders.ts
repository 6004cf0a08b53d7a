import { bumpLeases, isAlive, leads, moveToTargets, sameFence, takesSlots, type MemoryState } from './state.ts'
import type { LeaderSide } from '../port.ts'

export function memoryLeaders(state: MemoryState): LeaderSide {
  return {
    async campaign(name, ttlMs) {
      const { leader, nowMs } = state
      if (leader !== undefined && leader.expiresAtMs > nowMs()) return undefined
      const fence = { epoch: (leader?.fence.epoch ?? 0n) + 1n, nonce: state.newId() }
      state.leader = { name, fence, expiresAtMs: nowMs() + ttlMs }
      return { name, fence }
    },
    async renew(claim, ttlMs) {
      const { leader } = state
      if (leader === undefined || !sameFence(leader.fence, claim.fence)) return false
      leader.expiresAtMs = state.nowMs() + ttlMs
      return true
    },
    async resign(claim) {
      if (state.leader !== undefined && sameFence(state.leader.fence, claim.fence))
        state.leader.expiresAtMs = state.nowMs()
    },
    async current() {
      const { leader } = state
      return leader && { name: leader.name, epoch: leader.fence.epoch, alive: leader.expiresAtMs > state.nowMs() }
    },
    async members() {
      return [...state.workers]
        .map(([name, { weight, zone, draining, away, rows, lastTickMs, longestGapTicks }]) => {
          const lease = state.leases.get(name)
          const epoch = lease?.fence.epoch ?? 0n
          const slots = state.owners.filter((owner) => owner === name).length
          return {
            name,
            alive: isAlive(state, name),
            draining,
            away,
            weight,
            zone,
            epoch,
            slots,
            rows,
            lastTickMs,
            longestGapTicks,
          }
        })
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    async map() {
      return { version: state.mapVersion, owners: [...state.owners], targets: [...state.targets] }
    },
    async publish(leader, moves, cause) {
      if (!leads(state, leader)) return 'stale'
      for (const { slot, to } of moves) {
        state.targets[slot] = to
        state.targetCauses[slot] = cause
      }
      state.mapVersion += 1n
      return 'published'
    },
    async takeOver(leader) {
      if (!leads(state, leader)) return 'stale'
      // Asked once: somebody's time may be up in the middle of the slots.
      const living = new Set([...state.workers.keys()].filter((name) => takesSlots(state, name)))
      const { moved, involved } = moveToTargets(state, (owner) => owner === undefined || !living.has(owner))
      if (moved > 0) bumpLeases(state, involved)
      const lastTicks = [...involved]
        .filter((name) => !living.has(name))
        .map((name) => state.workers.get(name)?.lastTickMs ?? 0)
        .filter((ms) => ms > 0)
      return {
        slots: moved,
        unownedMs: lastTicks.length === 0 ? 0 : Math.round(state.nowMs() - Math.min(...lastTicks)),
      }
    },
    async countRows(leader) {
      return leads(state, leader) ? countsOf(state) : 'stale'
    },
    async estimateRows() {
      return countsOf(state)
    },
    async recount(leader, fromSlot, toSlot) {
      if (!leads(state, leader)) return 'stale'
      const bad = [...state.rows.values()].filter(
        ({ slot, value }) => slot >= fromSlot && slot <= toSlot && value === undefined,
      )
      return { corrected: 0, errorRows: bad.length }
    },
    async repairSlots(leader) {
      return leads(state, leader) ? 0 : 'stale'
    },
    async record(kind, detail) {
      state.events.unshift({ atMs: state.nowMs(), kind, detail })
      state.events.length = Math.min(state.events.length, 1_000)
    },
    async history(limit) {
      return state.events.slice(0, limit)
    },
  }
}

function countsOf({ owners, rows }: MemoryState): Uint32Array {
  const counts = new Uint32Array(owners.length)
  for (const { slot } of rows.values()) counts[slot] = (counts[slot] ?? 0) + 1
  return counts
}
