/** A worker that has announced itself. */
export interface Worker {
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ -`; the same after a restart, so that it takes its own place again. */
  readonly name: string
  /** For people who look: address, version, how many rows it has. Short texts. */
  readonly details: Readonly<Record<string, string>>
}

export interface AliveWorker extends Worker {
  /** Unix ms of the store's clock: it counts as gone from then on, unless it announces itself again. */
  readonly untilMs: number
}

/**
 * Who is alive, by deadline: for people, for dashboards and as a hint to whoever plans. Nothing may depend on it: it says
 * who was heard of lately, not who owns what, and a worker that is missing here may well be at work. Ownership is
 * fenced in the store that holds the rows.
 *
 * Each announcement writes all that is known of its worker, so that a registry that has lost everything is complete again
 * after one round of heartbeats. Every call rejects with `NotAppliedError` or `OutcomeUnknownError` when the store is
 * away, and may just be made again: announcing and forgetting twice is the same as once.
 */
export interface WorkerRegistry extends AsyncDisposable {
  /**
   * The worker is alive for `ttlMs` (1 to 86,400,000) from now, on the store's clock; what was known of it is replaced. Cost:
   * one round trip, O(log workers). Rejects with `RangeError` on a name or a time that is out of bounds.
   */
  announce(worker: Worker, ttlMs: number): Promise<void>
  /** By name. Cost: one round trip, O(workers). */
  alive(): Promise<readonly AliveWorker[]>
  /** At once, for a worker that ends in good order; one that is not there is no error. */
  forget(name: string): Promise<void>
  /** Rejects with one sentence while the store cannot be used. */
  check(): Promise<void>
  close(): Promise<void>
}

const namePattern = /^[A-Za-z0-9._-]{1,128}$/
const longestTtlMs = 86_400_000

/** Throws `RangeError` on what no registry takes. */
export function checkAnnouncement({ name }: Worker, ttlMs: number): void {
  if (!namePattern.test(name)) throw new RangeError(`"${name}" is no worker's name: 1 to 128 of A-Z a-z 0-9 . _ -`)
  if (!(ttlMs >= 1 && ttlMs <= longestTtlMs)) {
    throw new RangeError(`a worker is announced for 1 ms to a day, not for ${ttlMs} ms`)
  }
}

export const byName = (a: Worker, b: Worker): number => (a.name < b.name ? -1 : 1)
