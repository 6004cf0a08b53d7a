import type { BlobUsage } from './port.ts'

export type Totals = Pick<BlobUsage, 'entries' | 'blobs' | 'sizeBytes'>

export const noTotals: Totals = { entries: 0, blobs: 0, sizeBytes: 0 }

export interface Change {
  /** Of a blob that is not there yet. */
  readonly addedBytes: number | undefined
  /** Of a blob that goes, because its last entry does. */
  readonly freedBytes: number | undefined
  readonly entries: -1 | 0 | 1
}

/** The totals after a change, or undefined when it would pass the quota. Shrinking is always allowed. */
export function applied(totals: Totals, change: Change, quotaBytes: number): Totals | undefined {
  const { addedBytes, freedBytes } = change
  const sizeBytes = totals.sizeBytes + (addedBytes ?? 0) - (freedBytes ?? 0)
  if (sizeBytes > quotaBytes && sizeBytes > totals.sizeBytes) return undefined
  const blobs = totals.blobs + (addedBytes === undefined ? 0 : 1) - (freedBytes === undefined ? 0 : 1)
  return { entries: totals.entries + change.entries, blobs, sizeBytes }
}
