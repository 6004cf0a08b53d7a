import {
  openMemoryWorkItems,
  type MemoryWorkItemOptions,
  type MemoryWorkItems,
} from '@ballast/state-stores/work-item/memory'
import type { Fence, WorkerLease } from '@ballast/state-stores/work-item'
import type { OpenStore } from './server.ts'

type Lease = NonNullable<ReturnType<MemoryWorkItems['state']['leases']['get']>>

/** Stores that lack one of the safeguards. A simulator that does not catch them proves nothing. */
export const mutants: Readonly<Record<string, OpenStore>> = {
  /** `last_tick < tick` is not asked: a second tick in the same second writes the rows again. */
  'no guard by last_tick': (options) =>
    changed(options, ({ state, workers }) => ({
      async tick(lease, clock) {
        const outcome = await workers.tick(lease, clock)
        if (outcome.kind !== 'ticked') return outcome
        const slots = new Set(state.leases.get(lease.name)?.slots)
        const again = [...state.rows.values()].filter(
          ({ slot, lastTick }) => slots.has(slot) && lastTick > outcome.tick,
        )
        for (const row of again) {
          row.value = (row.value ?? 0) + Number(outcome.tick - row.lastTick)
          row.lastTick = outcome.tick
        }
        return { ...outcome, rows: outcome.rows + again.length }
      },
    })),

  /** The tick reads its lease as it begins, 200 ms before it commits, and nothing holds the lease meanwhile. */
  'no FOR SHARE': (options) =>
    changed(options, ({ state, workers }) => {
      const { leases, nowMs } = state
      const replaced = new Map<string, { readonly lease: Lease; readonly atMs: number }>()
      const replace = leases.set.bind(leases)
      leases.set = (name, lease) => {
        const former = leases.get(name)
        if (former !== undefined) replaced.set(name, { lease: former, atMs: nowMs() })
        return replace(name, lease)
      }
      return {
        tick(lease, clock) {
          const [now, former] = [leases.get(lease.name), replaced.get(lease.name)]
          const begunBefore = former?.lease.fence.nonce === lease.fence.nonce && nowMs() - former.atMs < 200
          if (now === undefined || former === undefined || !begunBefore) return workers.tick(lease, clock)
          replace(lease.name, former.lease)
          const outcome = workers.tick(lease, clock)
          replace(lease.name, now)
          return outcome
        },
      }
    }),

  /** The plan itself moves the slots, without waiting for the donor's tick. */
  'no ack on hand-over': (options) =>
    changed(options, undefined, ({ state, leaders }) => ({
      async publish(leader, moves, cause) {
        const answer = await leaders.publish(leader, moves, cause)
        if (answer === 'stale') return answer
        for (const { slot, to } of moves) if (state.owners[slot] !== undefined) state.owners[slot] = to
        for (const [name, { incarnation, fence }] of state.leases) {
          const slots = [...state.owners.keys()].filter((slot) => state.owners[slot] === name)
          state.leases.set(name, {
            incarnation,
            slots,
            fence: { epoch: fence.epoch + 1n, nonce: options.newId?.() ?? '' },
          })
        }
        return answer
      },
    })),

  'tick number from the clock of the worker': (options) => {
    let itsClock: number | undefined
    const nowMs = () => itsClock ?? options.nowMs?.() ?? 0
    return changed({ ...options, nowMs }, ({ workers }) => ({
      tick(lease, clock) {
        itsClock = clock?.expectedNowMs
        const outcome = workers.tick(lease)
        itsClock = undefined
        return outcome
      },
    }))
  },

  'fence without the nonce': (options) =>
    changed(
      options,
      ({ state, workers }) => {
        const current = (lease: WorkerLease) => withNonceOf(lease, state.leases.get(lease.name)?.fence)
        return {
          tick: (lease, clock) => workers.tick(current(lease), clock),
          handOver: (lease) => workers.handOver(current(lease)),
        }
      },
      ({ state, leaders }) => ({
        renew: (leader, ttlMs) => leaders.renew(withNonceOf(leader, state.leader?.fence), ttlMs),
        publish: (leader, moves, cause) => leaders.publish(withNonceOf(leader, state.leader?.fence), moves, cause),
      }),
    ),

  'plan without epoch': (options) =>
    changed(options, undefined, ({ state, leaders }) => ({
      publish: (leader, moves, cause) => leaders.publish(state.leader ?? leader, moves, cause),
    })),
}

function withNonceOf<T extends { readonly fence: Fence }>(claim: T, current: Fence | undefined): T {
  return current?.epoch === claim.fence.epoch ? { ...claim, fence: current } : claim
}

function changed(
  options: MemoryWorkItemOptions,
  workerSide?: (store: MemoryWorkItems) => Partial<MemoryWorkItems['workers']>,
  leaderSide?: (store: MemoryWorkItems) => Partial<MemoryWorkItems['leaders']>,
): MemoryWorkItems {
  const store = openMemoryWorkItems(options)
  return {
    ...store,
    workers: { ...store.workers, ...workerSide?.(store) },
    leaders: { ...store.leaders, ...leaderSide?.(store) },
  }
}
