import { NotAppliedError } from '../outcome.ts'

/** The writes that run; closing waits for them and refuses new ones. */
export class Running {
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  async write<Result>(work: () => Promise<Result>): Promise<Result> {
    this.assertOpen()
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  assertOpen(): void {
    if (this.#closed) throw new NotAppliedError('the store is closed', { wholeStore: true })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
  }
}
