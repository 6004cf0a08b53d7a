import type { FastifyBaseLogger } from 'fastify'
import type { TracedMessage } from './traced-message.ts'
import { traceOf } from './traced-message.ts'

/**
 * The logger of one request: every line carries the ids. Most requests log nothing, so the pino child, which costs
 * more than the rest of a small request's bookkeeping, is made with the first line.
 */
export class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger
  readonly #raw: TracedMessage
  readonly #requestId: string
  #child: FastifyBaseLogger | undefined

  constructor(parent: FastifyBaseLogger, raw: TracedMessage, requestId: string) {
    this.#parent = parent
    this.#raw = raw
    this.#requestId = requestId
  }

  get #log(): FastifyBaseLogger {
    if (this.#child === undefined) {
      const { traceId, spanId } = traceOf(this.#raw)
      this.#child = this.#parent.child({ requestId: this.#requestId, traceId, spanId })
    }
    return this.#child
  }

  get level() {
    return this.#parent.level
  }
  set level(level) {
    this.#log.level = level
  }
  get fatal() {
    return this.#bound('fatal')
  }
  get error() {
    return this.#bound('error')
  }
  get warn() {
    return this.#bound('warn')
  }
  get info() {
    return this.#bound('info')
  }
  get debug() {
    return this.#bound('debug')
  }
  get trace() {
    return this.#bound('trace')
  }
  get silent() {
    return this.#bound('silent')
  }
  get child(): FastifyBaseLogger['child'] {
    const log = this.#log
    return log.child.bind(log)
  }

  #bound(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'): FastifyBaseLogger['info'] {
    const log = this.#log
    return log[level].bind(log)
  }
}
