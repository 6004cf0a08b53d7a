import { compareTicks, snapshotTicks, type Rows, type TickSnapshot } from '@ballast/state-stores/work-item'

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
 * or somebody edited the value. A row that was removed and added again is another one, and is compared from then on.
 */
export class TickAuditor {
  readonly #rows: Rows
  readonly #maxRows: number
  #last: TickSnapshot | undefined
  #result: TickAudit = { audits: 0, rows: 0, rowsInTable: 0, doubledTicks: '0', lostTicks: '0', examples: [] }

  constructor(rows: Rows, maxRows: number) {
    this.#rows = rows
    this.#maxRows = maxRows
  }

  get result(): TickAudit {
    return this.#result
  }

  async step(): Promise<void> {
    const now = await snapshotTicks(this.#rows, this.#maxRows)
    if (this.#last !== undefined) {
      const { rows, doubledTicks, lostTicks, examples } = compareTicks(this.#last, now)
      const { audits, ...before } = this.#result
      this.#result = {
        audits: audits + 1,
        rows,
        rowsInTable: await this.#rows.count(),
        doubledTicks: String(BigInt(before.doubledTicks) + doubledTicks),
        lostTicks: String(BigInt(before.lostTicks) + lostTicks),
        examples: examples.length > 0 ? examples : before.examples,
      }
    }
    this.#last = now
  }
}
