/**
 * For stores that cannot tell the time to everybody: a holder's time is over when nothing of his was seen to change for
 * as long as he had asked for, on the observer's own clock (as client-go does it). A jump of the time of day does
 * nothing, and the clocks of two machines need not agree; but whoever comes new waits for the full time once.
 */
export class Observation {
  readonly #seen = new Map<string, { readonly version: string; readonly sinceMs: number }>()

  /** `nowMs` must be read after the store has answered: counted from before, the time would be over too early. */
  leftMs(key: string, version: string, ttlMs: number, nowMs: number): number {
    const seen = this.#seen.get(key)
    if (seen?.version === version) return ttlMs - (nowMs - seen.sinceMs)
    this.#seen.set(key, { version, sinceMs: nowMs })
    return ttlMs
  }
}
