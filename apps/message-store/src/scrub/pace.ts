import { setTimeout as wait } from 'node:timers/promises'

/** Lets bytes through at a rate, on average; what waits less than this is let through at once. */
const smallestWaitMs = 20

export interface Pace {
  (sizeBytes: number): Promise<void>
}

/** Rejects when `signal` is aborted, so that whoever is being slowed down ends at once. */
export function paceOf(bytesPerSecond: number, signal: AbortSignal, now: () => number = () => performance.now()): Pace {
  let freeAtMs = now()
  return async (sizeBytes) => {
    signal.throwIfAborted()
    // Time in which nothing was read is not made up for by a burst.
    freeAtMs = Math.max(freeAtMs, now() - smallestWaitMs) + (sizeBytes / bytesPerSecond) * 1_000
    const aheadMs = freeAtMs - now()
    if (aheadMs > smallestWaitMs) await wait(aheadMs, undefined, { signal })
  }
}
