import type { Clock } from '../clock.ts'
import { MemoryLeaseStore } from '../memory.ts'
import { LeaseStoreError, type LeaseStore } from '../port.ts'

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

/** Lets everything run that needs no time: promises, however deep. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Time of the store and of the test: it passes only by `advance`, and callbacks run one after the other. */
export class SimulatedTime implements Clock {
  #nowMs = 0
  #order = 0
  #timers: Timer[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): () => void {
    this.#order += 1
    const timer: Timer = {
      atMs: this.#nowMs + delayMs,
      order: this.#order,
      callback,
      cancelled: false,
    }
    this.#timers.push(timer)
    return () => void (timer.cancelled = true)
  }

  /** Runs all timers of the next `forMs` in order; `check` after each, when everything that follows from it is done. */
  async advance(forMs: number, check: () => void = () => {}): Promise<void> {
    const untilMs = this.#nowMs + forMs
    for (;;) {
      await settle()
      this.#timers = this.#timers.filter(({ cancelled }) => !cancelled)
      const [next] = this.#timers.toSorted((one, other) => one.atMs - other.atMs || one.order - other.order)
      if (next === undefined || next.atMs > untilMs) break
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.cancelled = true
      next.callback()
      await settle()
      check()
    }
    this.#nowMs = untilMs
    check()
  }
}

/** What may happen to a request: it is lost on its way there, or its answer on the way back, or both take a while. */
export interface Network {
  /** 0 to 1, for each decision. */
  random(): number
  readonly latencyMs: number
  readonly errorRate: number
}

/** A process: its clock runs at its own origin; while it is stopped none of its callbacks run and no answer reaches it. */
export class SimulatedProcess {
  readonly clock: Clock
  readonly store: LeaseStore
  readonly #time: SimulatedTime
  #stoppedUntilMs = 0

  constructor(time: SimulatedTime, leases: MemoryLeaseStore, network: Network, originMs: number) {
    this.#time = time
    this.clock = {
      nowMs: () => originMs + time.nowMs(),
      after: (delayMs, callback) => {
        let cancelled = false
        const cancel = time.after(delayMs, () => this.#whenRunning(() => (cancelled ? undefined : callback())))
        return () => {
          cancelled = true
          cancel()
        }
      },
    }
    const call = <T>(work: () => Promise<T>): Promise<T> => this.#call(network, work)
    this.store = {
      name: 'simulated',
      take: (key, claim) => call(() => leases.take(key, claim)),
      renew: (key, fence, limits) => call(() => leases.renew(key, fence, limits)),
      release: (key, nonce) => call(() => leases.release(key, nonce)),
      [Symbol.asyncDispose]: async () => {},
    }
  }

  get running(): boolean {
    return this.#time.nowMs() >= this.#stoppedUntilMs
  }

  stop(forMs: number): void {
    this.#stoppedUntilMs = Math.max(this.#stoppedUntilMs, this.#time.nowMs() + forMs)
  }

  #whenRunning(callback: () => void): void {
    if (this.running) callback()
    else this.#time.after(this.#stoppedUntilMs - this.#time.nowMs(), () => this.#whenRunning(callback))
  }

  #call<T>(network: Network, work: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const fail = (): void => reject(new LeaseStoreError('simulated'))
    const later = (callback: () => void): void => {
      this.#time.after(network.random() * network.latencyMs, callback)
    }
    const lost = network.random() < network.errorRate
    const answerLost = network.random() < network.errorRate
    later(() => {
      if (lost) return later(() => this.#whenRunning(fail))
      void work().then(
        (answer) => later(() => this.#whenRunning(() => (answerLost ? fail() : resolve(answer)))),
        reject,
      )
    })
    return promise
  }
}
