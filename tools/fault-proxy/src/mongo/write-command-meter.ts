import { setTimeout as delay } from 'node:timers/promises'
import { MessageReader } from './message-reader.ts'
import { worstSlidingSecond } from './sliding-second.ts'

export interface WriteCommandOptions {
  /** Write commands let through a second, over all connections; more wait their turn. Default: counted, not held back. */
  readonly perSecond?: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

const writes = new Set(['insert', 'update', 'delete', 'findandmodify', 'bulkwrite'])

/**
 * "100 IOPS" in a stated unit: write commands per second, as they pass. One insertMany of any size is one command, which
 * is what a driver sends and what a server's own counter of commands sees.
 */
export class WriteCommandMeter {
  readonly #intervalMs: number
  readonly #now: () => number
  readonly #passedAtMs: number[] = []
  #turn: Promise<void> = Promise.resolve()

  constructor({ perSecond = Infinity, now = () => performance.now() }: WriteCommandOptions) {
    this.#intervalMs = 1000 / perSecond
    this.#now = now
  }

  /** Write commands that passed so far. */
  get count(): number {
    return this.#passedAtMs.length
  }

  /** The most write commands in any window of one second. */
  get worstSecond(): number {
    return worstSlidingSecond(this.#passedAtMs)
  }

  /** A gate for one connection: resolves when the chunk's write commands may pass. */
  connection(): (chunk: Buffer) => Promise<void> {
    const reader = new MessageReader()
    return async (chunk) => {
      for (const { command } of reader.read(chunk)) {
        if (command !== undefined && writes.has(command.toLowerCase())) await this.#pass()
      }
    }
  }

  /**
   * Evenly spaced: a burst of the whole second's allowance would be another disk than the one that is imitated. The
   * distance counts from when the command before really passed, because timers are late, and sometimes early.
   */
  #pass(): Promise<void> {
    this.#turn = this.#turnAfter(this.#turn)
    return this.#turn
  }

  async #turnAfter(previous: Promise<void>): Promise<void> {
    await previous
    const dueAtMs = (this.#passedAtMs.at(-1) ?? -Infinity) + this.#intervalMs
    for (let leftMs = dueAtMs - this.#now(); leftMs > 0; leftMs = dueAtMs - this.#now()) await delay(leftMs)
    this.#passedAtMs.push(this.#now())
  }
}
