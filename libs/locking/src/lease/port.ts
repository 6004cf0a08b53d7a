/**
 * A lease is the right to be the only holder of a key until a deadline. Words: a *store* keeps leases, a *holder* has
 * one, a *fence* names one holding. A lease says who may try; it never protects data by itself: a holder that was
 * stopped (SIGSTOP, a long pause of the machine) goes on afterwards as if nothing had been. So whoever writes passes his
 * fence on, and the store that is written to refuses any but the current one in the same atomic step (M. Kleppmann,
 * "How to do distributed locking", 2016).
 */

/**
 * Compared for equality, both parts. The epoch grows by one with each new holder, but a store that loses its data or
 * fails over to a copy that lags can hand out the same epoch twice; the nonce, 128 random bits per holding, does not repeat.
 *
 * It means something only to the store that has minted it. Whoever guards data elsewhere first bumps an epoch there.
 */
export interface Fence {
  readonly epoch: bigint
  /** 32 hexadecimal digits. */
  readonly nonce: string
}

export const sameFence = (one: Fence, other: Fence): boolean => one.epoch === other.epoch && one.nonce === other.nonce

export interface LeaseTiming {
  /** How long the store keeps the lease for a holder of which it hears nothing. */
  readonly ttlMs: number
  /**
   * The holder's own deadline, counted from before the request that the store last granted was sent: then `signal`
   * aborts. What is left until `ttlMs` is for the guarded work to end in. Default: 2/3 of `ttlMs`.
   */
  readonly renewDeadlineMs?: number
  /** Between renewals, and between attempts. Default: 2/15 of `ttlMs`. */
  readonly retryPeriodMs?: number
}

export interface LeaseRequest extends LeaseTiming {
  /** Reject with `LeaseTimeoutError` after this long. Default: wait for ever. */
  readonly timeoutMs?: number
  /** Stop waiting; rejects with the signal's reason. It does not end a lease that is held. */
  readonly signal?: AbortSignal
  /** Between looks at a lease that others hold, before jitter. Default: `retryPeriodMs`, at most 200 ms. */
  readonly pollEveryMs?: number
  /** Told at each look who holds it, as he describes himself. Must not throw. */
  readonly onHeldByOther?: (holder: string) => void
}

/** A held lease. It renews itself until it is released or lost. */
export interface Lease extends AsyncDisposable {
  readonly key: string
  readonly fence: Fence
  /**
   * Aborts when the lease was released or lost (reason: `LeaseLostError`), at the latest at the holder's own deadline. A
   * process that was stopped learns it a moment after it goes on: that is what the fence is for.
   */
  readonly signal: AbortSignal
  /** False once lost, released, or past the deadline, also when the timer that aborts `signal` has not run yet. */
  readonly held: boolean
  /** Renews now, with a new `ttlMs` when it is given; the deadline never comes nearer. Rejects with `LeaseLostError`, or
   * with `LeaseStoreError` when the store did not answer; then the lease is held until its deadline as before. */
  extend(ttlMs?: number): Promise<void>
  /** Ends the lease in the store if it is still this holder's, so that others need not wait. Never rejects; a second call changes nothing. */
  release(): Promise<void>
}

export interface Leases extends AsyncDisposable {
  /**
   * Waits until the lease is held. Callers for one key take turns in the order of their calls; between processes no order
   * is promised. Rejects with `LeaseTimeoutError`, the signal's reason, or `LeaseStoreError` at the first request that
   * the store did not answer; should it have been granted all the same, nobody has the lease until `ttlMs` is over.
   */
  acquire(key: string, request: LeaseRequest): Promise<Lease>
  /** The lease, or `undefined` at once when somebody else holds it. One round trip. */
  tryAcquire(key: string, request: LeaseTiming): Promise<Lease | undefined>
  /** Waits for what is under way and closes the store. Leases still held are not released. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface LeaseCall {
  readonly ttlMs: number
  /** Reject with `LeaseStoreError` after this long; the store may act on the request all the same. */
  readonly timeoutMs: number
}

export interface LeaseClaim extends LeaseCall {
  /** New for each call of `acquire` or attempt of it. */
  readonly nonce: string
  /** Who asks, for people. */
  readonly holder: string
}

export type Taken =
  | { readonly taken: true; readonly epoch: bigint }
  /** `freeInMs`: at least this long nobody else gets it, unless it is released. */
  | { readonly taken: false; readonly holder: string; readonly freeInMs: number }

/**
 * The port: what a backend has to do. Each method is one atomic step on the store, sent once and never again by a
 * driver. Time is the store's own. Any method may reject with `LeaseStoreError`: the outcome is unknown then.
 */
export interface LeaseStore extends AsyncDisposable {
  /** For sentences, without passwords. */
  readonly name: string
  /**
   * Makes the claim the holder if the key is free, released or run out, with the epoch after the last one (1 for a key
   * never seen). The epoch outlives release and expiry. Asked again with the nonce that holds it: the same epoch, renewed.
   */
  take(key: string, claim: LeaseClaim): Promise<Taken>
  /**
   * True: the fence is the current one, and is so for at least `ttlMs` from now; a renewal never shortens, so that one
   * which arrives late does no harm. False: it is not, and never will be again.
   * A lease that ran out and that nobody has taken since is renewed.
   */
  renew(key: string, fence: Fence, call: LeaseCall): Promise<boolean>
  /** Frees the key if the holder with this nonce still has it. True if so. */
  release(key: string, nonce: string, call: Pick<LeaseCall, 'timeoutMs'>): Promise<boolean>
}

/** Called synchronously; must not throw. */
export interface LeaseObserver {
  onAcquired?(event: { readonly key: string; readonly fence: Fence; readonly waitedMs: number }): void
  onRenewed?(event: { readonly key: string; readonly tookMs: number }): void
  /** Work may have to stop: `refused`, the store has another fence; `deadline`, no renewal in time. */
  onLost?(event: { readonly key: string; readonly reason: 'refused' | 'deadline'; readonly heldMs: number }): void
  onReleased?(event: { readonly key: string; readonly heldMs: number }): void
  /** The store refused a fence that was handed out before. */
  onFenceRejected?(event: { readonly key: string; readonly fence: Fence; readonly call: 'renew' | 'release' }): void
  /** The store handed out an epoch that is not above one seen before: it has lost data. */
  onEpochRegressed?(event: { readonly key: string; readonly before: bigint; readonly now: bigint }): void
  onError?(event: { readonly key: string; readonly call: 'take' | 'renew' | 'release'; readonly error: unknown }): void
}

export class LeaseTimeoutError extends Error {
  override readonly name = 'LeaseTimeoutError'
}

export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly reason: 'refused' | 'deadline' | 'released'

  constructor(key: string, reason: LeaseLostError['reason']) {
    const sentence = {
      refused: 'somebody else has it, or the store has lost it',
      deadline: 'it could not be renewed in time',
      released: 'it was released',
    }
    super(`the lease "${key}" is not held any more: ${sentence[reason]}`)
    this.reason = reason
  }
}

/** The store did not answer or refused; whether it has done what was asked is not known. */
export class LeaseStoreError extends Error {
  override readonly name = 'LeaseStoreError'
}

/** Throws one sentence for keys that not every backend can keep. */
export function checkLeaseKey(key: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(key)) {
    throw new TypeError(
      `"${key}" cannot name a lease: use up to 128 letters, digits and . _ : - after a letter or digit`,
    )
  }
}
