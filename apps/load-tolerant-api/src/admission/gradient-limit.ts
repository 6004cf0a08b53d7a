export interface GradientLimitOptions {
  readonly initial: number
  readonly min: number
  readonly max: number
  /** Requests that may stand in line beyond what the latency justifies, so that the limit can grow again. */
  readonly headroom?: number
  /** Weight of the newest window in the limit. */
  readonly smoothing?: number
  /** Windows over which the usual latency is averaged. */
  readonly longWindows?: number
}

/** Windows whose plain mean starts the average; an exponential one would begin with whatever came first. */
const warmUpWindows = 10

/**
 * How many requests may be in flight, from their latency alone: Gradient2 of Netflix's concurrency-limits. While a
 * window is as fast as usual the limit grows by `headroom`; when it is slower the limit shrinks with the ratio, at
 * most to half a window. Pure: no clock, no timer.
 */
export class GradientLimit {
  readonly #options: Required<GradientLimitOptions>
  #limit: number
  #usualMs = 0
  #windows = 0

  constructor(options: GradientLimitOptions) {
    this.#options = { headroom: 4, smoothing: 0.2, longWindows: 600, ...options }
    this.#limit = this.#within(options.initial)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Takes in one window: the mean latency of its requests, in ms, and the most that were in flight. */
  sample(measuredMs: number, inFlight: number): void {
    // A coarse clock says zero, and a ratio of zeros would be the end of the limit.
    const latencyMs = Math.max(measuredMs, 0.001)
    const { headroom, smoothing } = this.#options
    const usualMs = this.#average(latencyMs)
    // After a long slow time the average lags behind what is fast again, and would let the limit grow without bound.
    if (usualMs / latencyMs > 2) this.#usualMs *= 0.9
    // Latency says nothing about a limit that was not used.
    if (inFlight < this.#limit / 2) return
    const gradient = Math.max(0.5, Math.min(1, usualMs / latencyMs))
    this.#limit = this.#within(this.#limit * (1 - smoothing) + (this.#limit * gradient + headroom) * smoothing)
  }

  #average(latencyMs: number): number {
    this.#windows++
    const weight = this.#windows <= warmUpWindows ? 1 / this.#windows : 2 / (this.#options.longWindows + 1)
    this.#usualMs += (latencyMs - this.#usualMs) * weight
    return this.#usualMs
  }

  #within(limit: number): number {
    return Math.min(this.#options.max, Math.max(this.#options.min, limit))
  }
}
