import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { traceOf, type TracedMessage } from './traced-message.ts'

/** Before anything is logged about a request. */
export function giveLog(parent: FastifyBaseLogger, request: FastifyRequest, reply: FastifyReply): void {
  const log = new RequestLog(parent, request.raw, request.id)
  request.log = log
  reply.log = log
}

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/**
 * The logger of one request: every line carries the ids. Most requests log nothing, so the pino child, which costs
 * more than the rest of a small request's bookkeeping, is made with the first line.
 */
class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger
  readonly #raw: TracedMessage
  readonly #requestId: string
  #child: FastifyBaseLogger | undefined

  constructor(parent: FastifyBaseLogger, raw: TracedMessage, requestId: string) {
    this.#parent = parent
    this.#raw = raw
    this.#requestId = requestId
  }

  get level(): string {
    return this.#child?.level ?? this.#parent.level
  }
  set level(level: string) {
    this.#log().level = level
  }

  child(...args: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#log().child(...args)
  }

  fatal(...args: readonly unknown[]): void {
    this.#write('fatal', args)
  }
  error(...args: readonly unknown[]): void {
    this.#write('error', args)
  }
  warn(...args: readonly unknown[]): void {
    this.#write('warn', args)
  }
  info(...args: readonly unknown[]): void {
    this.#write('info', args)
  }
  debug(...args: readonly unknown[]): void {
    this.#write('debug', args)
  }
  trace(...args: readonly unknown[]): void {
    this.#write('trace', args)
  }
  silent(...args: readonly unknown[]): void {
    this.#write('silent', args)
  }

  #write(level: Level, args: readonly unknown[]): void {
    const log = this.#log()
    Reflect.apply(log[level], log, args)
  }

  #log(): FastifyBaseLogger {
    if (this.#child === undefined) {
      const { traceId, spanId } = traceOf(this.#raw)
      this.#child = this.#parent.child({ requestId: this.#requestId, traceId, spanId })
    }
    return this.#child
  }
}
