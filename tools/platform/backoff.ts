export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  /** A process that stayed ready this long starts from `firstMs` again. */
  readonly resetAfterMs: number
}

export const defaultBackoff: Backoff = { firstMs: 200, maxMs: 15_000, resetAfterMs: 10_000 }

/**
 * Exponential with "equal jitter": between half of and the whole of first * 2^n, so that three workers that died of
 * one cause do not come back in step, and none comes back at once.
 */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff, random: () => number): number {
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30))
  return Math.round(ceilingMs * (0.5 + random() / 2))
}
