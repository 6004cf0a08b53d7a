import type { Rows } from './port.ts'

export interface RowConstant {
  readonly offset: bigint
  readonly born: string
}

/** `value - lastTick` of each row: the constant of which the promise speaks. Saturated rows are counted, not kept. */
export interface TickSnapshot {
  readonly offsets: ReadonlyMap<string, RowConstant>
  readonly saturated: number
  /** The smallest lastTick, undefined without rows: how far the slowest row has come. */
  readonly oldestTick: bigint | undefined
}

export interface TickVerdict {
  /** Rows in both snapshots: those the verdict is about. A row that was added again under an old id is another row. */
  readonly rows: number
  /** Rows whose value grew by more than its ticks, and by how much in all. */
  readonly doubledRows: number
  readonly doubledTicks: bigint
  /** Rows whose value grew by less. */
  readonly lostRows: number
  readonly lostTicks: bigint
  /** Some ids of rows that are wrong, to look at. */
  readonly examples: readonly string[]
}

const pageRows = 10_000
/** The maximum of an integer column, and of a bigint one. */
const maxima = new Set([2n ** 31n - 1n, 2n ** 63n - 1n])

/**
 * Reads every row once. Pages may be read at different moments and while rows are ticked: each row is compared only with itself.
 * Cost: 10,000 rows a page, about 100 bytes of memory a row. `maxRows` keeps to the first ones in order of ids.
 */
export async function snapshotTicks(
  rows: Pick<Rows, 'offsets'>,
  maxRows = Number.POSITIVE_INFINITY,
): Promise<TickSnapshot> {
  const offsets = new Map<string, RowConstant>()
  let saturated = 0
  let oldestTick: bigint | undefined
  let after: string | undefined
  for (;;) {
    const page = await rows.offsets(after, pageRows)
    for (const { id, value, lastTick, born } of page) {
      if (value === undefined) continue
      if (maxima.has(value)) saturated += 1
      else offsets.set(id, { offset: value - lastTick, born })
      if (oldestTick === undefined || lastTick < oldestTick) oldestTick = lastTick
    }
    after = page.at(-1)?.id
    if (after === undefined || offsets.size + saturated >= maxRows) return { offsets, saturated, oldestTick }
  }
}

/** Whether any tick was credited twice or lost between two snapshots, provided nobody edited values by hand meanwhile. */
export function compareTicks(before: TickSnapshot, after: TickSnapshot): TickVerdict {
  let rows = 0
  let doubledRows = 0
  let doubledTicks = 0n
  let lostRows = 0
  let lostTicks = 0n
  const examples: string[] = []
  for (const [id, earlier] of before.offsets) {
    const later = after.offsets.get(id)
    if (later === undefined || later.born !== earlier.born) continue
    rows += 1
    const surplus = later.offset - earlier.offset
    if (surplus === 0n) continue
    if (examples.length < 10) examples.push(id)
    if (surplus > 0n) {
      doubledRows += 1
      doubledTicks += surplus
    } else {
      lostRows += 1
      lostTicks -= surplus
    }
  }
  return { rows, doubledRows, doubledTicks, lostRows, lostTicks, examples }
}
