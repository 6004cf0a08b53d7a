import { setTimeout as delay } from 'node:timers/promises'

/**
 * Tries again until something comes, the wait ends or the signal aborts; then the answer is empty.
 * The pause grows from 2 to 50 ms while nothing comes: an idle consumer costs 20 reads a second, a busy one none,
 * and a new entry is seen at most 50 ms late.
 */
export async function poll<T>(
  attempt: () => Promise<readonly T[]>,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly T[]> {
  const deadline = performance.now() + waitMs
  let pauseMs = 2
  for (;;) {
    if (signal?.aborted === true) return []
    const found = await attempt()
    const leftMs = deadline - performance.now()
    if (found.length > 0 || leftMs <= 0) return found
    await delay(Math.min(pauseMs, leftMs), undefined, signal === undefined ? {} : { signal }).catch(() => {})
    pauseMs = Math.min(50, pauseMs * 1.5)
  }
}
