import type { Surroundings } from '../../src/surroundings.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/**
 * One process and what it stands on: nothing reaches it while it is stopped (SIGSTOP), nothing ever after it was killed. Its own clock has
 * an origin and a rate of its own, and may jump.
 */
export class Machine {
  readonly name: string
  readonly surroundings: Surroundings
  readonly #time: VirtualTime
  readonly #backlog: (() => void)[] = []
  #state: 'running' | 'stopped' | 'gone' = 'running'
  readonly #rate: number
  #jumpedMs: number
  #stoppedAtMs = 0
  #clockStands = false

  constructor(name: string, time: VirtualTime, random: Random) {
    this.name = name
    this.#time = time
    this.#jumpedMs = random.between(0, 1e9)
    const rate = 1 + random.between(-1e-3, 1e-3)
    this.#rate = rate
    this.surroundings = {
      monotonicMs: () => this.#jumpedMs + (this.#clockStands ? this.#stoppedAtMs : time.nowMs()) * rate,
      random: random.next,
      newId: random.uuid,
      delay: (ms, signal) =>
        new Promise((resolve) => {
          const cancel = time.after(ms / rate, () => this.deliver(resolve))
          const abort = () => {
            cancel()
            resolve()
          }
          if (signal?.aborted === true) abort()
          else signal?.addEventListener('abort', abort, { once: true })
        }),
    }
  }

  /** Its clock has gone another way than the others'. */
  clockJumped = false

  get runs(): boolean {
    return this.#state === 'running'
  }

  get gone(): boolean {
    return this.#state === 'gone'
  }

  /** A timer that rings, an answer that arrives, a signal. */
  deliver(run: () => void): void {
    if (this.#state === 'running') run()
    else if (this.#state === 'stopped') this.#backlog.push(run)
  }

  /** `suspended`: the whole machine, with its clock. */
  stop(what: 'process' | 'suspended'): void {
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    this.#stoppedAtMs = this.#time.nowMs()
    this.#clockStands = what === 'suspended'
    this.clockJumped ||= this.#clockStands
  }

  continue(): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    if (this.#clockStands) this.#jumpedMs -= (this.#time.nowMs() - this.#stoppedAtMs) * this.#rate
    this.#clockStands = false
    for (const run of this.#backlog.splice(0)) this.#time.after(0, () => this.deliver(run))
  }

  kill(): void {
    this.#state = 'gone'
    this.#backlog.length = 0
  }

  jumpClock(ms: number): void {
    this.clockJumped = true
    this.#jumpedMs += ms
  }
}
