import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { Turnstile } from '../turnstile.ts'
import { monotonicClock, pause, type Clock } from './clock.ts'
import { HeldLease } from './held-lease.ts'
import {
  checkLeaseKey,
  LeaseTimeoutError,
  type Lease,
  type LeaseObserver,
  type LeaseRequest,
  type Leases,
  type LeaseStore,
  type LeaseTiming,
} from './port.ts'
import { callTimeoutMs, checkTiming, type FullTiming } from './timing.ts'

export interface LeasesOptions {
  /** Who holds the leases, for people. Default: host name and process id. */
  readonly holder?: string
  readonly observer?: LeaseObserver
  readonly clock?: Clock
  /** Between 0 and 1, for jitter. */
  readonly random?: () => number
  /** Must not repeat in any process. Default: 128 random bits. */
  readonly nonce?: () => string
}

/** As client-go: attempts are 1 to 2.2 periods apart, so that contenders do not come in step. */
const jitterFactor = 1.2
const longestPollMs = 200

/** Leases of a store: waits for them, renews them, and tells their holders when they are over. Owns the store. */
export function createLeases(store: LeaseStore, options: LeasesOptions = {}): Leases {
  return new StoreLeases(store, options)
}

class StoreLeases implements Leases {
  readonly #store: LeaseStore
  readonly #clock: Clock
  readonly #observer: LeaseObserver
  readonly #holder: string
  readonly #random: () => number
  readonly #nonce: () => string
  readonly #lines = new Map<string, { readonly turnstile: Turnstile; users: number }>()
  readonly #epochs = new Map<string, bigint>()
  /** Clean-up that no caller waits for. */
  readonly #loose = new Set<Promise<unknown>>()

  constructor(store: LeaseStore, options: LeasesOptions) {
    this.#store = store
    this.#clock = options.clock ?? monotonicClock
    this.#observer = options.observer ?? {}
    this.#holder = options.holder ?? `${hostname()}:${process.pid}`
    this.#random = options.random ?? Math.random
    this.#nonce = options.nonce ?? (() => randomBytes(16).toString('hex'))
  }

  async acquire(key: string, request: LeaseRequest): Promise<Lease> {
    checkLeaseKey(key)
    const timing = checkTiming(request)
    const { signal, timeoutMs, pollEveryMs = Math.min(timing.retryPeriodMs, longestPollMs) } = request
    const calledAtMs = this.#clock.nowMs()
    const limit = new AbortController()
    let holder = 'somebody'
    const giveUp = (): void => limit.abort(signal?.reason)
    const timeOut = (): void => {
      limit.abort(new LeaseTimeoutError(`the lease "${key}" was not free within ${timeoutMs} ms: ${holder} holds it`))
    }
    if (signal?.aborted === true) giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    const cancel = timeoutMs === undefined ? undefined : this.#clock.after(timeoutMs, timeOut)
    try {
      return await this.#inLine(key, limit.signal, async () => {
        for (;;) {
          const answer = await this.#attempt(key, timing, limit.signal, calledAtMs)
          if ('lease' in answer) return answer.lease
          holder = answer.holder
          request.onHeldByOther?.(holder)
          const pollMs = pollEveryMs * (1 + jitterFactor * this.#random())
          await pause(this.#clock, Math.max(1, Math.min(pollMs, answer.freeInMs)), limit.signal)
        }
      })
    } finally {
      cancel?.()
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async tryAcquire(key: string, request: LeaseTiming): Promise<Lease | undefined> {
    checkLeaseKey(key)
    const answer = await this.#attempt(key, checkTiming(request), undefined, this.#clock.nowMs())
    return 'lease' in answer ? answer.lease : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#loose)
    await this.#store[Symbol.asyncDispose]()
  }

  /** One caller per key asks the store, whatever the number that waits. */
  async #inLine<T>(key: string, limit: AbortSignal, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { turnstile: new Turnstile(), users: 0 }
    this.#lines.set(key, line)
    line.users += 1
    try {
      await line.turnstile.enter(limit)
      try {
        return await work()
      } finally {
        line.turnstile.leave()
      }
    } finally {
      line.users -= 1
      if (line.users === 0) this.#lines.delete(key)
    }
  }

  async #attempt(
    key: string,
    timing: FullTiming,
    limit: AbortSignal | undefined,
    calledAtMs: number,
  ): Promise<{ lease: Lease } | { holder: string; freeInMs: number }> {
    limit?.throwIfAborted()
    const timeoutMs = callTimeoutMs(timing)
    const nonce = this.#nonce()
    const sentAtMs = this.#clock.nowMs()
    const asked = this.#store.take(key, {
      nonce,
      holder: this.#holder,
      ttlMs: timing.ttlMs,
      timeoutMs,
    })
    const giveBack = (): void =>
      this.#later(asked.catch(() => {}).then(() => this.#store.release(key, nonce, { timeoutMs })))
    let answer
    try {
      answer = await orAbort(asked, limit)
    } catch (error) {
      // It may have been granted: nobody knows of it, so it is given back.
      giveBack()
      if (limit?.aborted !== true) this.#observer.onError?.({ key, call: 'take', error })
      throw error
    }
    if (!answer.taken) return answer
    this.#checkEpoch(key, answer.epoch)
    const fence = { epoch: answer.epoch, nonce }
    const { clock, store, observer } = {
      clock: this.#clock,
      store: this.#store,
      observer: this.#observer,
    }
    if (clock.nowMs() >= sentAtMs + timing.renewDeadlineMs) {
      giveBack()
      return { holder: this.#holder, freeInMs: timing.retryPeriodMs }
    }
    observer.onAcquired?.({ key, fence, waitedMs: clock.nowMs() - calledAtMs })
    return { lease: new HeldLease({ key, fence, store, clock, observer, timing, sentAtMs }) }
  }

  #checkEpoch(key: string, now: bigint): void {
    const before = this.#epochs.get(key)
    if (before !== undefined && now <= before) this.#observer.onEpochRegressed?.({ key, before, now })
    this.#epochs.set(key, now)
  }

  #later(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.catch(() => {}).finally(() => this.#loose.delete(settled))
    this.#loose.add(settled)
  }
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
