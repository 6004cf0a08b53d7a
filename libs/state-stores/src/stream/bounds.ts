import type { AppendOutcome, Entry, StreamBounds } from './port.ts'

/** The part of the queue's state on which the bounds look. */
export interface Fill {
  readonly entries: number
  readonly bytes: number
  readonly oldestAgeMs: number
}

/** The refusal of an entry, or undefined when there is room. Call it inside the append step, for each entry anew. */
export function refusal(entry: Entry, fill: Fill, bounds: StreamBounds): AppendOutcome | undefined {
  if (entry.body.byteLength > bounds.maxEntryBytes) return { outcome: 'too-large', maxBytes: bounds.maxEntryBytes }
  const bound = fullBound(entry.body.byteLength, fill, bounds)
  return bound === undefined ? undefined : { outcome: 'full', bound }
}

export type Bound = Extract<AppendOutcome, { outcome: 'full' }>['bound']

/** The bound at which the queue is for an entry of so many bytes, which may be more than one may have: a dead letter had been queued before. */
export function fullBound(bytes: number, fill: Fill, bounds: StreamBounds): Bound | undefined {
  if (fill.entries + 1 > bounds.maxEntries) return 'entries'
  if (fill.bytes + bytes > bounds.maxBytes) return 'bytes'
  return fill.oldestAgeMs > bounds.maxOldestAgeMs ? 'age' : undefined
}
