/**
 * One at a time, first come first served, inside one process.
 * An abort removes a caller that still waits; it does nothing to one that is through.
 */
export class Turnstile {
  #occupied = false
  readonly #waiting = new Set<() => void>()

  tryEnter(): boolean {
    if (this.#occupied) return false
    this.#occupied = true
    return true
  }

  enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.tryEnter()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(pass)
        reject(signal?.reason)
      }
      const pass = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      this.#waiting.add(pass)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Lets the next caller through; he is the occupant before this returns, so nobody can push in. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#occupied = false
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
