import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  /** Give up after this long. */
  timeoutMs?: number
  everyMs?: number
  /** What is awaited, for the error: "the worker to own slot 7". */
  what?: string
}

/**
 * Polls until `condition` returns something truthy and returns that value.
 * A condition that throws counts as not yet; its last error becomes the cause of the time-out.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 30_000, everyMs = 10, what = 'the condition' }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await delay(everyMs)
  }
}
