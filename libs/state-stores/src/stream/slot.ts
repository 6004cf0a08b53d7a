import type { SlotRequest } from './port.ts'

/** No reservation may lie further ahead: if one does, the clock was set back. */
const furthestAheadMs = 1000

/**
 * One step of the generic cell rate algorithm with burst 1. `nextMs` is the earliest time of the next slot, kept by
 * the stream; the answer is the reserved slot and the new `nextMs`.
 *
 * After the clock was set back the slot is one full second away, so that no sliding second can hold too many.
 */
export function reserve(
  nextMs: number,
  nowMs: number,
  { intervalMs, sinceLastMs }: SlotRequest,
): { readonly slotMs: number; readonly nextMs: number } {
  const shared = Math.min(nextMs, nowMs + furthestAheadMs)
  const slotMs = Math.max(nowMs, shared, nowMs - Math.max(0, sinceLastMs) + intervalMs)
  return { slotMs, nextMs: slotMs + intervalMs }
}
