import type { ByteRange } from './port.ts'

/** Clips a range to what there is; `RangeError` when it begins behind the end. An empty blob has the range 0 to 0. */
export function clip(range: ByteRange, sizeBytes: number): Required<ByteRange> {
  const end = Math.min(range.end ?? sizeBytes, sizeBytes)
  if (range.start < 0 || end < range.start || (range.start >= sizeBytes && range.start > 0)) {
    throw new RangeError(`bytes ${range.start} to ${range.end ?? 'the end'} of ${sizeBytes}`)
  }
  return { start: range.start, end }
}
