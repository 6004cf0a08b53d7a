import { memoryWorkerRegistry } from '@ballast/state-stores/worker-registry/memory'
import type { WorkerRegistry } from '@ballast/state-stores/worker-registry'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

const timeoutMs = 1_000

/** Redis, where workers say that they are there. It can be emptied, and be away; nothing may depend on it. */
export class SimulatedRegistry {
  readonly #time: VirtualTime
  readonly #random: Random
  #held: WorkerRegistry
  up = true

  constructor(time: VirtualTime, random: Random) {
    this.#time = time
    this.#random = random
    this.#held = memoryWorkerRegistry({ now: time.nowMs })
  }

  flush(): void {
    this.#held = memoryWorkerRegistry({ now: this.#time.nowMs })
  }

  async names(): Promise<string[]> {
    return (await this.#held.alive()).map(({ name }) => name)
  }

  /** As one process sees it; away, it does not answer at all. */
  seenFrom(machine: Machine): WorkerRegistry {
    const call = <T>(ask: (held: WorkerRegistry) => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const cancel = this.#time.after(timeoutMs, () =>
          machine.deliver(() => reject(new Error('registry: timed out'))),
        )
        this.#time.after(this.#random.between(0.1, 3), () => {
          if (!this.up) return
          cancel()
          ask(this.#held).then(
            (answer) => machine.deliver(() => resolve(answer)),
            (error: unknown) => machine.deliver(() => reject(error)),
          )
        })
      })
    return {
      announce: (worker, ttlMs) => call((held) => held.announce(worker, ttlMs)),
      alive: () => call((held) => held.alive()),
      forget: (name) => call((held) => held.forget(name)),
      check: () => call((held) => held.check()),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }
  }
}
