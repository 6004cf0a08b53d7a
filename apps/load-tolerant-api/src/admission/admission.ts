import type { GradientLimit } from './gradient-limit.ts'
import { Ring } from './ring.ts'

export interface AdmissionOptions {
  readonly limit: GradientLimit
  /** Most requests inside and waiting together; the next one is refused at once. */
  readonly maxRequests: number
  /** Longest time to wait; then a request is refused, because whoever sent it has given up or soon will. */
  readonly deadlineMs: number
  /** A monotonic clock, in ms. */
  readonly now?: () => number
}

/** A request was not let in; nothing was begun for it. */
export class NotAdmittedError extends Error {
  override name = 'NotAdmittedError'
}

interface Waiting {
  readonly sinceMs: number
  readonly resolve: () => void
  readonly reject: (error: NotAdmittedError) => void
}

/** Latency is judged over windows of at least this long. */
const windowMs = 100
/**
 * The door in front of expensive work. As many requests are inside as `limit` says; the others wait. The oldest goes first; only
 * once requests have reached the deadline again and again for as long as a deadline does the newest, so that under overload some are served
 * at once instead of all at the last moment (adaptive LIFO, "Fail at Scale", ACM Queue 2015).
 *
 * A pause of the queue's, however long, is no reason for it, and who comes too late while nobody leaves does not count: afterwards
 * the newest would hold up those who can just be served in time. Of ten thousand users a tenth was refused in such moments by a system
 * that answers all of them when the oldest goes first.
 *
 * Each `enter` that resolved is followed by exactly one `leave` with its time of entry.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #now: () => number
  // Thrown again and again: under overload the stack traces of new ones would cost more than the refusals.
  readonly #overfull: NotAdmittedError
  readonly #tooLate: NotAdmittedError
  #inside = 0
  readonly #waiting = new Ring<Waiting>()
  /** Requests reach the deadline since then without a pause as long as a deadline; the last one did so at `#lateAtMs`. */
  #lateSinceMs = 0
  #lateAtMs = -Infinity
  #leftAtMs = -Infinity
  /** One timer watches the oldest; there is none while nobody waits. */
  #watched = false
  #windowStartMs: number
  #windowLatencyMs = 0
  #windowCount = 0
  #windowMostInside = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#overfull = new NotAdmittedError(`${options.maxRequests} requests are under way already`)
    this.#tooLate = new NotAdmittedError(`waited ${options.deadlineMs} ms`)
    this.#windowStartMs = this.#now()
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves when the request may begin. Rejects with `NotAdmittedError`. */
  async enter(): Promise<number> {
    if (this.#inside < this.#options.limit.limit && this.waiting === 0) this.#inside++
    else if (this.#inside + this.waiting >= this.#options.maxRequests) {
      throw this.#overfull
    } else await this.#wait()
    if (this.#inside > this.#windowMostInside) this.#windowMostInside = this.#inside
    return this.#now()
  }

  leave(enteredMs: number): void {
    const nowMs = this.#now()
    this.#leftAtMs = nowMs
    this.#inside--
    this.#windowLatencyMs += nowMs - enteredMs
    this.#windowCount++
    if (nowMs - this.#windowStartMs >= windowMs) this.#endWindow(nowMs)
    this.#letIn(nowMs)
  }

  #wait(): Promise<void> {
    if (!this.#watched) this.#watch(this.#options.deadlineMs)
    return new Promise((resolve, reject) => this.#waiting.push({ sinceMs: this.#now(), resolve, reject }))
  }

  #letIn(nowMs: number): void {
    while (this.#inside < this.#options.limit.limit && this.waiting > 0) {
      const next = this.#next(nowMs)
      if (next === undefined) return
      this.#inside++
      next.resolve()
    }
  }

  #next(nowMs: number): Waiting | undefined {
    this.#refuseLate(nowMs)
    return this.#isOverloaded(nowMs) ? this.#waiting.takeNewest() : this.#waiting.takeOldest()
  }

  #refuseLate(nowMs: number): void {
    for (;;) {
      const { oldest } = this.#waiting
      if (oldest === undefined || nowMs - oldest.sinceMs < this.#options.deadlineMs) return
      this.#waiting.takeOldest()
      this.#sawLate(nowMs)
      oldest.reject(this.#tooLate)
    }
  }

  #sawLate(nowMs: number): void {
    const { deadlineMs } = this.#options
    if (nowMs - this.#leftAtMs > deadlineMs) return
    if (nowMs - this.#lateAtMs > deadlineMs) this.#lateSinceMs = nowMs
    this.#lateAtMs = nowMs
  }

  #isOverloaded(nowMs: number): boolean {
    const { deadlineMs } = this.#options
    return nowMs - this.#lateAtMs <= deadlineMs && this.#lateAtMs - this.#lateSinceMs >= deadlineMs
  }

  #watch(ms: number): void {
    this.#watched = true
    setTimeout(() => this.#expire(), ms).unref()
  }

  /** Refuses those whose time is over also while nobody leaves. */
  #expire(): void {
    const nowMs = this.#now()
    this.#watched = false
    this.#refuseLate(nowMs)
    const { oldest } = this.#waiting
    if (oldest !== undefined) this.#watch(Math.max(1, oldest.sinceMs + this.#options.deadlineMs - nowMs))
  }

  #endWindow(nowMs: number): void {
    this.#options.limit.sample(this.#windowLatencyMs / this.#windowCount, this.#windowMostInside)
    this.#windowStartMs = nowMs
    this.#windowLatencyMs = 0
    this.#windowCount = 0
    this.#windowMostInside = this.#inside
  }
}
