import type { GradientLimit } from './gradient-limit.ts'

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
 * Part of the deadline. Earlier would refuse those who can be served in time: from half of it on, a tenth of ten thousand users
 * was refused by a system that answers all of them within the deadline when the oldest goes first.
 */
const newestFirstFrom = 0.9

/**
 * The door in front of expensive work. As many requests are inside as `limit` says; the others wait. While the longest
 * wait is well under the deadline the oldest goes first; close to it the newest does, so that under overload some
 * are served in time instead of all too late (adaptive LIFO, "Fail at Scale", ACM Queue 2015).
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
  /** Oldest at `#head`. Two ends and no removal in the middle: an array with a moving start is enough. */
  #waiting: Waiting[] = []
  #head = 0
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
    return this.#waiting.length - this.#head
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
    this.#inside--
    this.#windowLatencyMs += nowMs - enteredMs
    this.#windowCount++
    if (nowMs - this.#windowStartMs >= windowMs) this.#endWindow(nowMs)
    this.#letIn(nowMs)
  }

  #wait(): Promise<void> {
    if (!this.#watched) this.#watch(this.#options.deadlineMs)
    return new Promise((resolve, reject) => void this.#waiting.push({ sinceMs: this.#now(), resolve, reject }))
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
    const oldest = this.#waiting[this.#head]
    if (oldest === undefined) return undefined
    if (nowMs - oldest.sinceMs > this.#options.deadlineMs * newestFirstFrom) return this.#waiting.pop()
    this.#head++
    // The part before the head is cut off now and then, so that each entry is moved once on average.
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return oldest
  }

  #refuseLate(nowMs: number): void {
    for (;;) {
      const oldest = this.#waiting[this.#head]
      if (oldest === undefined || nowMs - oldest.sinceMs < this.#options.deadlineMs) break
      this.#head++
      oldest.reject(this.#tooLate)
    }
    if (this.waiting === 0) {
      this.#waiting = []
      this.#head = 0
    }
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
    const oldest = this.#waiting[this.#head]
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
