/**
 * `<namespace>/<name>`, each part 1 to 128 characters of `A-Z a-z 0-9 . _ : -`. Ordered by code unit.
 */
export type CounterName = string

export interface Counter {
  readonly name: CounterName
  /** 64-bit signed. */
  readonly value: bigint
  /**
   * Changes with every applied operation, always upwards. A version never comes back, not even after the counter was
   * removed or has expired and was made anew, so a condition on an old version cannot hold by accident.
   */
  readonly version: bigint
  /** Unix ms; from then on the counter is absent. No expiry when missing. */
  readonly expiresAtMs?: number
}

/**
 * Makes an operation safe to repeat. The store keeps it, with the outcome, in the same atomic step as the change, for
 * `tokenWindowMs`; the same token with the same fingerprint is answered with that outcome (refusals too) and changes
 * nothing. When `maxTokens` are kept (for one counter, where atomicity is 'counter'), new ones are refused; none is
 * forgotten early, for its caller may still retry.
 */
export interface Token {
  /** Whose keys these are: two callers, or two counters, may use the same key. */
  readonly scope: string
  readonly key: string
  /**
   * Tells two requests apart; a digest of what was asked, and under which key. Operations of one request share it: once
   * one of them is refused as `token-mismatch`, so is every later one of that scope and fingerprint in the same commit,
   * lest the tail of another request under the same key be applied (of those on one counter, where atomicity is
   * 'counter').
   */
  readonly fingerprint: string
}

export type CounterOp = {
  readonly name: CounterName
  readonly token?: Token
  /** Apply only to this version; 0n: only when the counter is absent; 'any': only when it is there. */
  readonly ifVersion?: bigint | 'any'
} & (
  | {
      readonly kind: 'add'
      /** What is added; an absent counter counts from 0. */
      readonly by: bigint
      /** Limits increments only, so that a counter above it can still come down. */
      readonly max?: bigint
      /** Limits decrements only. */
      readonly min?: bigint
      /**
       * What happens to an addition that would cross a bound: it is refused (default), or only so much of it is
       * applied as reaches the bound; nothing, when the value is beyond it already.
       */
      readonly onBound?: 'reject' | 'saturate'
      /** A new expiry, or none (`null`); missing: unchanged. */
      readonly expiresAtMs?: number | null
    }
  | {
      readonly kind: 'set'
      readonly to: bigint
      readonly expiresAtMs?: number | null
      /**
       * The version it gets, and all that are given later (of this counter, where atomicity is 'counter'), are above this one:
       * for counters that come from another store, whose versions must not come back here. At most 2^62.
       */
      readonly aboveVersion?: bigint
    }
  | { readonly kind: 'remove' }
)

/**
 * Why an operation was not applied.
 * - `overflow`: the result does not fit 64 bits.
 * - `bound`: it would cross `min` or `max`.
 * - `version`: `ifVersion` does not hold.
 * - `not-found`: there is nothing to remove.
 * - `token-mismatch`: the token was used for another request.
 * - `token-window-full`: no room for another token; the same operation can be tried again later.
 */
export type CounterRefusal = 'overflow' | 'bound' | 'version' | 'not-found' | 'token-mismatch' | 'token-window-full'

export type CounterOutcome =
  | {
      readonly ok: true
      /** After the operation, whatever came later in the batch; 0n after a removal. */
      readonly value: bigint
      /** Before it; 0n when absent. `value - previous` is what was applied. */
      readonly previous: bigint
      readonly version: bigint
      readonly expiresAtMs?: number
      /** The answer to an earlier use of the token; nothing was changed now. */
      readonly replayed: boolean
    }
  | {
      readonly ok: false
      readonly reason: CounterRefusal
      /** The counter as the operation found it. */
      readonly current?: Counter
      readonly replayed: boolean
    }

export interface CounterCapabilities {
  /** 'batch': a commit is applied as a whole or not at all. 'counter': only what touches one counter is. */
  readonly atomicity: 'batch' | 'counter'
  /** An acknowledged operation survives the end of the process and loss of power. */
  readonly durable: boolean
  /** What an acknowledged operation can be lost to, and what to do about it; one sentence for the operator. */
  readonly caveat?: string
  /** 'process': the store cannot tell the time to a condition, so expiries go by the clock of the process that writes. */
  readonly clock: 'store' | 'process'
}

/** The store could not be asked. Reads reject with it; its message names the store. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

export interface ScanOptions {
  /** Only counters whose name begins with this. */
  readonly prefix?: string
  /** Only names behind this one. */
  readonly after?: CounterName
  readonly limit: number
}

/**
 * Named 64-bit counters.
 *
 * Every write is a batch and is answered by one outcome per operation, in order: a refused operation never fails its
 * neighbours, a later operation of a batch sees what the earlier ones did, and the same name may come several times.
 * Time is the store's own; it never goes backwards.
 */
export interface CounterStore extends AsyncDisposable {
  /** As last seen: a server can change its settings, and a fail-over its server. */
  readonly capabilities: CounterCapabilities

  /** Operations that wait for their commit. */
  readonly depth: number

  /** Unix ms by the store's own clock, as far as this process knows it: what an expiry is counted from. */
  nowMs(): number

  /**
   * Applies the operations and resolves when they are durable.
   *
   * Rejects with `NotAppliedError` when nothing was applied (retry as you like), with `OutcomeUnknownError` when it may
   * have been (retry only with the same tokens), and with `RangeError` on an operation no store could accept: a name
   * outside the alphabet, a number outside 64 bits.
   */
  commit(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]>

  /**
   * The counters of these names, in order; never half a batch (of one counter, where atomicity is 'counter'), never
   * what is not yet acknowledged. Waits for no write. Rejects with `StoreUnavailableError`.
   */
  read(names: readonly CounterName[]): Promise<readonly (Counter | undefined)[]>

  /** At most `limit` counters in the order of their names. */
  scan(options: ScanOptions): Promise<readonly Counter[]>

  /** Resolves when a write would be tried; rejects with what is wrong. */
  check(): Promise<void>

  /** Finishes what was accepted, refuses what comes later, lets go of everything. */
  close(): Promise<void>
}

export const smallestValue = -(2n ** 63n)
export const largestValue = 2n ** 63n - 1n

export const fits64Bits = (value: bigint): boolean => value >= smallestValue && value <= largestValue
