/**
 * Time as leases see it: only how much of it passes. It never jumps, whatever happens to the time of day. It may stand
 * still while the machine is suspended; then the fence protects, not the clock.
 */
export interface Clock {
  /** From an arbitrary moment on. */
  nowMs(): number
  /** Calls back once, not before `delayMs` are over; the result cancels. */
  after(delayMs: number, callback: () => void): () => void
}

export const monotonicClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `delayMs`, or at once when the signal aborts. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
