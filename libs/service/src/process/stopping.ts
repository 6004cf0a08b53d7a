import type { FastifyBaseLogger } from 'fastify'
import type { Health } from '../health.ts'
import { sentence } from './sentence.ts'

export interface StoppingOptions {
  readonly log: FastifyBaseLogger
  readonly health: Health
  readonly graceMs: number
  /** What is not finished; for the line about what hung. */
  readonly pending: () => object
}

const numbers = { SIGTERM: 15, SIGINT: 2 } as const

/** How a process is told to end, and how long it may take: the first signal stops, a second ends at once. */
export class Stopping {
  /** Resolves when the process has been told to stop. */
  readonly told: Promise<void>
  /** What the process exits with if all goes well from here. */
  exitCode = 0
  #limited = false
  readonly #abort = new AbortController()
  readonly #tell: () => void
  readonly #options: StoppingOptions

  constructor(options: StoppingOptions) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.told = promise
    this.#tell = resolve
    this.#options = options
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Takes over the signals and the fatal errors of this process. */
  listen(): void {
    for (const [signal, number] of Object.entries(numbers)) {
      process.on(signal, () => {
        if (this.signal.aborted) process.exit(128 + number)
        this.stop(`told to stop by ${signal}`)
      })
    }
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      process.on(event, (error: unknown) => {
        this.#options.log.fatal({ err: error, event }, `ending at once: ${sentence(error)}`)
        process.exit(1)
      })
    }
  }

  stop(reason: string): void {
    if (this.signal.aborted) return
    const { log, health } = this.#options
    health.draining = reason
    log.info({ reason }, 'stopping')
    this.limit()
    this.#abort.abort(new Error(reason))
    this.#tell()
  }

  /** From now on the process has the grace time to end; also when it was never told to, but failed to start. */
  limit(): void {
    if (this.#limited) return
    this.#limited = true
    const { log, graceMs, pending } = this.#options
    setTimeout(() => {
      log.fatal(pending(), `not stopped within ${graceMs} ms: ending at once`)
      process.exit(Math.max(1, this.exitCode))
    }, graceMs).unref()
  }

  fail(error: unknown): void {
    this.exitCode = 1
    this.#options.log.fatal({ err: error }, sentence(error))
    this.stop(`failed: ${sentence(error)}`)
  }
}
