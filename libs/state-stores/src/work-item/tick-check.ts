import type { Rows } from './port.ts'

/** `value - lastTick` of each row: the constant of which the promise speaks. Saturated rows are counted, not kept. */
export interface TickSnapshot {
  readonly offsets: ReadonlyMap<string, bigint>
  readonly saturated: number
  /** The smallest lastTick, undefined without rows: how far the slowest row has come. */
  readonly oldestTick: bigint | undefined
}

export interface TickVerdict {
  /** Rows in both snapshots: those the verdict is about. */
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
  const offsets = new Map<string, bigint>()
  let saturated = 0
  let oldestTick: bigint | undefined
  let after: string | undefined
  for (;;) {
    const page = await rows.offsets(after, pageRows)
    for (const { id, value, lastTick } of page) {
      if (maxima.has(value)) saturated += 1
      else offsets.set(id, value - lastTick)
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
  for (const [id, offset] of before.offsets) {
    const later = after.offsets.get(id)
    if (later === undefined) continue
    rows += 1
    if (later === offset) continue
    if (examples.length < 10) examples.push(id)
    if (later > offset) {
      doubledRows += 1
      doubledTicks += later - offset
    } else {
      lostRows += 1
      lostTicks += offset - later
    }
  }
  return { rows, doubledRows, doubledTicks, lostRows, lostTicks, examples }
}
