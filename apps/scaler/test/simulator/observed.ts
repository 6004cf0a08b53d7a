import type { Fence, Leader, WorkerLease, WorkItemStore } from '@ballast/state-stores/work-item'
import type { MemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import type { Checks } from './checks.ts'
import { RowWatch } from './row-watch.ts'

/**
 * The store, each of whose answers is compared with what is in it: what was accepted from whom, and what it changed. It does not use the
 * store's own notions of who may do what.
 */
export function observed(memory: MemoryWorkItems, checks: Checks): WorkItemStore {
  const { state, workers, leaders, operator, rows } = memory
  const watch = new RowWatch(memory, checks)

  const holds = ({ name, incarnation, fence }: WorkerLease) => {
    const lease = state.leases.get(name)
    return lease?.incarnation === incarnation && same(fence, lease.fence)
  }
  const leads = ({ name, fence }: Leader) =>
    state.leader?.name === name && same(fence, state.leader.fence) && state.leader.expiresAtMs > state.nowMs()

  const alive = (name: string) => {
    const worker = state.workers.get(name)
    return worker !== undefined && !worker.away && worker.expiresAtMs > state.nowMs()
  }

  /** A worker's write: either under the current fence, or refused. */
  const fromWorker = async <T extends { readonly kind: string }>(
    lease: WorkerLease,
    what: string,
    call: () => Promise<T>,
  ) => {
    const valid = holds(lease)
    const outcome = await call()
    const accepted = outcome.kind === 'ticked' || outcome.kind === 'handed-over'
    if (!accepted) checks.counts.refused += 1
    if (accepted && !valid) checks.violated('I3', `a stale ${what} of ${label(lease)} was accepted`)
    return outcome
  }
  /** A leader's: likewise. */
  const fromLeader = async <T>(
    leader: Leader,
    what: string,
    isAccepted: (answer: T) => boolean,
    call: () => Promise<T>,
  ) => {
    const valid = leads(leader)
    const answer = await call()
    const accepted = isAccepted(answer)
    if (!accepted) checks.counts.refused += 1
    if (accepted && !valid) checks.violated('I3', `a stale ${what} of ${label(leader)} was accepted`)
    return answer
  }
  /** Runs something that may change owners; `mayGive` says from whom. */
  const moving = async <T>(what: string, mayGive: (owner: string) => boolean, call: () => Promise<T>): Promise<T> => {
    const before = [...state.owners]
    const version = state.mapVersion
    const living = new Set(before.filter((owner) => owner !== undefined && mayGive(owner)))
    const answer = await call()
    for (const [slot, owner] of before.entries()) {
      if (owner === state.owners[slot]) continue
      if (owner !== undefined && !living.has(owner)) checks.violated('I3', `${what} took slot ${slot} from ${owner}`)
    }
    if (checks.atRest && version !== state.mapVersion) checks.violated('I6', `${what} changed the map at rest`)
    watch.leasesMatchMap(what)
    return answer
  }

  return {
    ...memory,
    workers: {
      ...workers,
      register: (worker, options) => moving('register', nobody, () => workers.register(worker, options)),
      async tick(lease, clock) {
        watch.look()
        const outcome = await fromWorker(lease, 'tick', () => workers.tick(lease, clock))
        if (outcome.kind === 'ticked') watch.ticked(lease, outcome)
        else watch.untouched(`a tick answered ${outcome.kind}`)
        return outcome
      },
      async handOver(lease) {
        const outcome = await moving(
          'hand-over',
          (owner) => owner === lease.name,
          () => fromWorker(lease, 'hand-over', () => workers.handOver(lease)),
        )
        if (outcome.kind === 'handed-over' && outcome.slots > 0) checks.counts.handOvers += 1
        return outcome
      },
    },
    leaders: {
      ...leaders,
      renew: async (leader, ttlMs) => {
        // Out of time, but nobody came after it: it may go on.
        const valid = state.leader?.name === leader.name && same(leader.fence, state.leader.fence)
        const renewed = await leaders.renew(leader, ttlMs)
        if (renewed && !valid) checks.violated('I3', `${label(leader)} renewed a leadership that is another one's`)
        return renewed
      },
      publish: (leader, moves, cause) =>
        moving('publish', nobody, async () => {
          const answer = await fromLeader(leader, 'plan', notStale, () => leaders.publish(leader, moves, cause))
          if (answer !== 'stale') checks.trace(`${label(leader)} publishes ${moves.length} moves: ${cause ?? ''}`)
          return answer
        }),
      takeOver: (leader) => {
        return moving(
          'take-over',
          (owner) => !alive(owner),
          async () => {
            const answer = await fromLeader(leader, 'take-over', notStale, () => leaders.takeOver(leader))
            if (answer !== 'stale' && answer.slots > 0) {
              checks.counts.takeOvers += 1
              checks.trace(`${label(leader)} takes over ${answer.slots} slots`)
            }
            return answer
          },
        )
      },
      countRows: (leader) => fromLeader(leader, 'count', notStale, () => leaders.countRows(leader)),
      recount: (leader, from, to) => fromLeader(leader, 'recount', notStale, () => leaders.recount(leader, from, to)),
      repairSlots: (leader, from, to) =>
        fromLeader(leader, 'repair', notStale, () => leaders.repairSlots(leader, from, to)),
    },
    operator: {
      ...operator,
      async resume(options) {
        watch.untouched('a pause')
        await operator.resume(options)
        watch.resumed()
      },
    },
    rows: {
      ...rows,
      async add(wanted) {
        watch.look()
        const added = await rows.add(wanted)
        watch.rowsChanged()
        checks.rowsChanged()
        return added
      },
      async remove(wanted) {
        watch.look()
        const removed = await rows.remove(wanted)
        watch.rowsChanged()
        checks.rowsChanged()
        return removed
      },
    },
  }
}

function nobody(): boolean {
  return false
}

function notStale(answer: unknown): boolean {
  return answer !== 'stale'
}

function same(a: Fence, b: Fence | undefined): boolean {
  return a.epoch === b?.epoch && a.nonce === b.nonce
}

function label({ name, fence }: WorkerLease | Leader): string {
  return `${name}@${fence.epoch}/${fence.nonce.slice(0, 4)}`
}
