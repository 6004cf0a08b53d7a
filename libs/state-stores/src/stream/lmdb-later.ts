import type { LmdbTable } from '../lmdb-environment.ts'
import { parked } from './claim-order.ts'
import { appendedAt, decodeHolding, isLater, sequenceKey, sequenceOf } from './lmdb-records.ts'

/**
 * When the oldest entry that this release reads was appended; undefined when there is none. Entries in the format of a newer release are
 * passed once by a handle: they never become readable, and what is appended comes behind them.
 */
export function oldestReadable(entries: LmdbTable): () => number | undefined {
  let from = 1
  return () => {
    for (const { key, value } of entries.range({ start: sequenceKey(from) })) {
      if (!isLater(value)) return appendedAt(value)
      from = sequenceOf(key) + 1
    }
    return undefined
  }
}

/** Reads all holdings: as many as consumers have in hand. */
export function parkedIn(holdings: LmdbTable): number {
  let count = 0
  for (const { value } of holdings.range()) if (decodeHolding(value)?.owner === parked) count++
  return count
}
