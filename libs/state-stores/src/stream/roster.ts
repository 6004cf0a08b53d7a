import type { Incarnation, WriteStream } from './port.ts'

/** What a queue knows of its consumers, as a backend keeps it. */
export interface RosterState {
  readonly partitions: number
  readonly occupant: { readonly consumer: Incarnation; readonly seenMs: number } | null
  readonly attendants: Readonly<Record<Incarnation, { readonly holds: readonly number[]; readonly seenMs: number }>>
}

export const emptyRoster: RosterState = { partitions: 1, occupant: null, attendants: {} }

export interface RosterCell {
  read(): RosterState
  /** Only inside of `step`. */
  write(state: RosterState): void
  /** One atomic step against all processes that use the queue. */
  step<T>(action: () => T): Promise<T>
}

export interface KeptRoster extends Pick<WriteStream, 'occupy' | 'resign' | 'roster'> {
  /** Inside of a step: whether the queue hands entries to this consumer. Notes that its occupant was heard of. */
  readonly admits: (consumer: Incarnation) => boolean
}

/** The rules of `occupy`, `resign` and `roster` for backends that keep the state as one value. */
export function keptRoster(cell: RosterCell, now: () => number, claimTimeoutMs: number): KeptRoster {
  const isThere = (seenMs: number): boolean => now() - seenMs <= claimTimeoutMs
  /** Not written anew each time: a write is synced to the disk. */
  const isFresh = (seenMs: number): boolean => now() - seenMs <= claimTimeoutMs / 4
  const settleIn = (state: RosterState, consumer: Incarnation): true => {
    cell.write({ ...state, occupant: { consumer, seenMs: now() } })
    return true
  }
  const admits = (consumer: Incarnation): boolean => {
    const state = cell.read()
    const { occupant } = state
    if (occupant === null) return true
    if (occupant.consumer !== consumer) return !isThere(occupant.seenMs)
    return isFresh(occupant.seenMs) || settleIn(state, consumer)
  }
  return {
    admits,
    occupy: (consumer) =>
      cell.step(() => {
        if (!admits(consumer)) return false
        const state = cell.read()
        return state.occupant?.consumer === consumer || settleIn(state, consumer)
      }),
    resign: (consumer) =>
      cell.step(() => {
        const state = cell.read()
        if (state.occupant?.consumer === consumer) cell.write({ ...state, occupant: null })
      }),
    roster: {
      attend: (consumer, holds) =>
        cell.step(() => {
          const state = cell.read()
          const own = state.attendants[consumer]
          const isSame = own !== undefined && isFresh(own.seenMs) && own.holds.join() === holds.join()
          const all = { ...state.attendants, ...(isSame ? {} : { [consumer]: { holds, seenMs: now() } }) }
          const there = Object.entries(all).filter(([, { seenMs }]) => isThere(seenMs))
          if (!isSame) cell.write({ ...state, attendants: Object.fromEntries(there) })
          return there.map(([name, attendant]) => ({ consumer: name, holds: attendant.holds }))
        }),
      depart: (consumer) =>
        cell.step(() => {
          const { attendants, ...state } = cell.read()
          if (attendants[consumer] === undefined) return
          const { [consumer]: _, ...others } = attendants
          cell.write({ ...state, attendants: others })
        }),
      partitions: (atLeast) =>
        cell.step(() => {
          const state = cell.read()
          if (atLeast > state.partitions) cell.write({ ...state, partitions: atLeast })
          return Math.max(atLeast, state.partitions)
        }),
    },
  }
}
