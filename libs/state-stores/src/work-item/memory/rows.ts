import { isAlive, takesSlots, type MemoryState } from './state.ts'
import type { Row, Rows } from '../port.ts'

export function memoryRows(state: MemoryState, slotOfId: (id: string) => number): Rows {
  const page = (after: string | undefined, limit: number) =>
    [...state.rows.keys()]
      .toSorted()
      .filter((id) => after === undefined || id > after)
      .slice(0, limit)
  const read = (id: string): Row | undefined => {
    const row = state.rows.get(id)
    return row && { id, value: row.value, lastTick: row.lastTick, worker: row.worker }
  }
  return {
    async count() {
      return state.rows.size
    },
    async list(after, limit) {
      return page(after, limit).flatMap((id) => read(id) ?? [])
    },
    async add(rows) {
      const ids =
        'ids' in rows ? rows.ids.map((id) => id.toLowerCase()) : Array.from({ length: rows.count }, state.newId)
      const fresh = ids.filter((id) => !state.rows.has(id))
      const lastTick = BigInt(Math.floor(state.nowMs() / 1000))
      const born = state.newId()
      for (const id of fresh) state.rows.set(id, { slot: slotOfId(id), born, value: 0, lastTick, worker: undefined })
      return new Set(fresh).size
    },
    async remove(rows) {
      const ids = 'ids' in rows ? rows.ids : page(undefined, rows.count)
      return ids.filter((id) => state.rows.delete(id.toLowerCase())).length
    },
    async explain(id) {
      const row = read(id.toLowerCase())
      const slot = slotOfId(id)
      if (row === undefined) return undefined
      const owner = state.owners[slot]
      return {
        ...row,
        slot,
        owner,
        target: state.targets[slot],
        ownerSinceMs: owner === undefined ? undefined : state.since[slot],
        epoch: owner === undefined ? undefined : state.leases.get(owner)?.fence.epoch,
        ownerAlive: isAlive(state, owner),
        ownerAway: isAlive(state, owner) && !takesSlots(state, owner),
        cause: state.causes[slot],
        formerOwners: state.formerOwners[slot] ?? [],
        nowMs: state.nowMs(),
      }
    },
    async offsets(after, limit) {
      return page(after, limit).flatMap((id) => {
        const row = state.rows.get(id)
        if (row === undefined) return []
        const { value, lastTick, born } = row
        return { id, value: value === undefined ? undefined : BigInt(value), lastTick, born }
      })
    },
  }
}
