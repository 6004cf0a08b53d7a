import type { AppendOutcome, Entry, StreamBounds } from './port.ts'

/** The part of the queue's state on which the bounds look. */
export interface Fill {
  readonly entries: number
  readonly bytes: number
  readonly oldestAgeMs: number
}

/** The refusal of an entry, or undefined when there is room. Call it inside the append step, for each entry anew. */
export function refusal(entry: Entry, fill: Fill, bounds: StreamBounds): AppendOutcome | undefined {
  const bytes = entry.body.byteLength
  if (bytes > bounds.maxEntryBytes) return { outcome: 'too-large', maxBytes: bounds.maxEntryBytes }
  if (fill.entries + 1 > bounds.maxEntries) return { outcome: 'full', bound: 'entries' }
  if (fill.bytes + bytes > bounds.maxBytes) return { outcome: 'full', bound: 'bytes' }
  if (fill.oldestAgeMs > bounds.maxOldestAgeMs) return { outcome: 'full', bound: 'age' }
  return undefined
}
