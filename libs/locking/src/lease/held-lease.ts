import type { Clock } from './clock.ts'
import { LeaseLostError, type Fence, type Lease, type LeaseObserver, type LeaseStore } from './port.ts'
import { callTimeoutMs, type FullTiming } from './timing.ts'

export interface HeldLeaseOptions {
  readonly key: string
  readonly fence: Fence
  readonly store: LeaseStore
  readonly clock: Clock
  readonly observer: LeaseObserver
  readonly timing: FullTiming
  /** Before the granted request was sent. */
  readonly sentAtMs: number
}

/**
 * States: held -> lost | released, and never back. Two timers: one renews, one ends the lease at the deadline whether or
 * not a renewal is under way. One renewal at a time.
 *
 * The deadline counts from before the request was sent: the store's own counts from when it did it, which is later. An
 * answer that was long on its way, or waited for a stopped process, then proves nothing any more.
 */
export class HeldLease implements Lease {
  readonly key: string
  readonly fence: Fence
  readonly #options: HeldLeaseOptions
  readonly #acquiredAtMs: number
  readonly #ended = new AbortController()
  #timing: FullTiming
  #validUntilMs: number
  #cancelRenewal: () => void = () => {}
  #cancelDeadline: () => void = () => {}
  #renewing: Promise<void> | undefined
  #released: Promise<void> | undefined

  constructor(options: HeldLeaseOptions) {
    this.key = options.key
    this.fence = options.fence
    this.#options = options
    this.#timing = options.timing
    this.#acquiredAtMs = options.clock.nowMs()
    this.#validUntilMs = options.sentAtMs + options.timing.renewDeadlineMs
    this.#watchDeadline()
    this.#scheduleRenewal()
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get held(): boolean {
    if (!this.#ended.signal.aborted && this.#options.clock.nowMs() >= this.#validUntilMs) this.#lose('deadline')
    return !this.#ended.signal.aborted
  }

  async extend(ttlMs?: number): Promise<void> {
    await this.#renewing?.catch(() => {})
    if (ttlMs !== undefined) {
      const { renewDeadlineMs, retryPeriodMs } = this.#timing
      const factor = ttlMs / this.#timing.ttlMs
      this.#timing = {
        ttlMs,
        renewDeadlineMs: renewDeadlineMs * factor,
        retryPeriodMs: retryPeriodMs * factor,
      }
    }
    await this.#renew()
  }

  release(): Promise<void> {
    return (this.#released ??= this.#release())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  #scheduleRenewal(): void {
    this.#cancelRenewal()
    if (!this.held) return
    this.#cancelRenewal = this.#options.clock.after(
      this.#timing.retryPeriodMs,
      () => void this.#renew().catch(() => {}),
    )
  }

  #watchDeadline(): void {
    this.#cancelDeadline()
    const leftMs = this.#validUntilMs - this.#options.clock.nowMs()
    this.#cancelDeadline = this.#options.clock.after(Math.max(0, leftMs), () => {
      // A timer may run a little early; the clock decides.
      if (this.held) this.#watchDeadline()
    })
  }

  #renew(): Promise<void> {
    return (this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
      this.#scheduleRenewal()
    }))
  }

  async #renewOnce(): Promise<void> {
    if (!this.held) throw this.#ended.signal.reason
    const { store, clock, observer } = this.#options
    const { ttlMs, renewDeadlineMs } = this.#timing
    const sentAtMs = clock.nowMs()
    let current: boolean
    try {
      current = await store.renew(this.key, this.fence, {
        ttlMs,
        timeoutMs: callTimeoutMs(this.#timing),
      })
    } catch (error) {
      observer.onError?.({ key: this.key, call: 'renew', error })
      throw error
    }
    if (!current) {
      observer.onFenceRejected?.({ key: this.key, fence: this.fence, call: 'renew' })
      this.#lose('refused')
    }
    // Once it was lost it stays so, even if the store still has it: the guarded work was told to stop.
    if (this.#ended.signal.aborted) throw this.#ended.signal.reason
    this.#validUntilMs = Math.max(this.#validUntilMs, sentAtMs + renewDeadlineMs)
    if (!this.held) throw this.#ended.signal.reason
    this.#watchDeadline()
    observer.onRenewed?.({ key: this.key, tookMs: clock.nowMs() - sentAtMs })
  }

  #lose(reason: 'refused' | 'deadline'): void {
    if (this.#ended.signal.aborted) return
    this.#stopTimers()
    this.#ended.abort(new LeaseLostError(this.key, reason))
    this.#options.observer.onLost?.({ key: this.key, reason, heldMs: this.#heldMs() })
  }

  async #release(): Promise<void> {
    const { store, observer } = this.#options
    this.#stopTimers()
    const wasHeld = this.held
    this.#ended.abort(new LeaseLostError(this.key, 'released'))
    // A renewal that the store does after the release would find another nonce; waiting only spares it the trouble.
    await this.#renewing?.catch(() => {})
    const { reason } = this.#ended.signal
    if (reason instanceof LeaseLostError && reason.reason === 'refused') return
    try {
      const freed = await store.release(this.key, this.fence.nonce, {
        timeoutMs: callTimeoutMs(this.#timing),
      })
      if (!freed) observer.onFenceRejected?.({ key: this.key, fence: this.fence, call: 'release' })
    } catch (error) {
      // It runs out by itself.
      observer.onError?.({ key: this.key, call: 'release', error })
    }
    if (wasHeld) observer.onReleased?.({ key: this.key, heldMs: this.#heldMs() })
  }

  #heldMs(): number {
    return this.#options.clock.nowMs() - this.#acquiredAtMs
  }

  #stopTimers(): void {
    this.#cancelRenewal()
    this.#cancelDeadline()
  }
}
