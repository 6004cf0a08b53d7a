import { compareTicks, snapshotTicks, type TickSnapshot, type WorkItemStore } from '@ballast/state-stores/work-item'

export interface TickAudit {
  /** Comparisons so far. */
  readonly audits: number
  /** Rows in the last comparison: those that it read both times, with a value below the maximum. */
  readonly rows: number
  /** Rows in the table then. */
  readonly rowsInTable: number
  readonly doubledTicks: string
  readonly lostTicks: string
  /** Rows to look at, from the last comparison that found something. */
  readonly examples: readonly string[]
}

/**
 * Compares `value - last_tick` of the same rows again and again. It is constant for every row unless a tick was credited twice or lost,
 * or somebody edited the value. A row that was removed and added again is another one, and is compared from then on. A pause that is
 * skipped changes it for all: what was read before is then forgotten.
 */
export class TickAuditor {
  readonly #store: Pick<WorkItemStore, 'rows' | 'operator'>
  readonly #maxRows: number
  #last: { readonly snapshot: TickSnapshot; readonly skips: bigint } | undefined
  #result: TickAudit = { audits: 0, rows: 0, rowsInTable: 0, doubledTicks: '0', lostTicks: '0', examples: [] }

  constructor(store: Pick<WorkItemStore, 'rows' | 'operator'>, maxRows: number) {
    this.#store = store
    this.#maxRows = maxRows
  }

  get result(): TickAudit {
    return this.#result
  }

  async step(): Promise<void> {
    const { operator, rows: table } = this.#store
    const earlier = await operator.pauseState()
    const snapshot = await snapshotTicks(table, this.#maxRows)
    const { skips, resuming } = await operator.pauseState()
    if (resuming || earlier.resuming || earlier.skips !== skips) {
      this.#last = undefined
      return
    }
    if (this.#last?.skips === skips) {
      const { rows, doubledTicks, lostTicks, examples } = compareTicks(this.#last.snapshot, snapshot)
      const { audits, ...before } = this.#result
      this.#result = {
        audits: audits + 1,
        rows,
        rowsInTable: await table.count(),
        doubledTicks: String(BigInt(before.doubledTicks) + doubledTicks),
        lostTicks: String(BigInt(before.lostTicks) + lostTicks),
        examples: examples.length > 0 ? examples : before.examples,
      }
    }
    this.#last = { snapshot, skips }
  }
}
