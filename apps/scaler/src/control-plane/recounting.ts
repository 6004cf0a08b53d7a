import type { Leader, WorkItemStore } from '@ballast/state-stores/work-item'
import type { Log } from './log.ts'

const slotsEach = 256
/** Fewer, since the slot of each row in them is computed. */
const slotsToRepair = 16

/** Counts a few slots afresh in each step, so that all are within every few minutes and no statement is long. */
export class Recounting {
  readonly #store: Pick<WorkItemStore, 'leaders' | 'slots'>
  readonly #log: Log
  #fromSlot = 0
  #repairFrom = 0
  #errorRows = 0

  constructor(store: Pick<WorkItemStore, 'leaders' | 'slots'>, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** Rows without a value, among the slots counted since the last beginning. */
  get errorRows(): number {
    return this.#errorRows
  }

  /** False: somebody else leads. */
  async step(leader: Leader): Promise<boolean> {
    const from = this.#fromSlot
    const outcome = await this.#store.leaders.recount(leader, from, from + slotsEach - 1)
    if (outcome === 'stale') return false
    if (outcome.corrected > 0) this.#log.warn({ corrected: outcome.corrected, fromSlot: from }, 'row counts corrected')
    this.#errorRows = from === 0 ? outcome.errorRows : this.#errorRows + outcome.errorRows
    this.#fromSlot = from + slotsEach >= this.#store.slots ? 0 : from + slotsEach
    return this.#repair(leader)
  }

  async #repair(leader: Leader): Promise<boolean> {
    const from = this.#repairFrom
    const { leaders, slots } = this.#store
    const repaired = await leaders.repairSlots(leader, from, from + slotsToRepair - 1)
    if (repaired === 'stale') return false
    if (repaired > 0) {
      this.#log.warn({ rows: repaired }, 'rows had a slot that does not follow from their id; it is repaired')
      await leaders.record('slots-repaired', { rows: repaired })
    }
    this.#repairFrom = from + slotsToRepair >= slots ? 0 : from + slotsToRepair
    return true
  }
}
