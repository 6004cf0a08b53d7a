import { Redis } from 'ioredis'
import { backoffMs } from '../backoff.ts'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { greet, inspect } from './handshake.ts'
import { isDemotion, troubleOf, whatBecame } from './outcome.ts'
import { connectorOf, findPrimary, isLookedUp } from './primary.ts'
import { toReply } from './reply.ts'
import type { ServerFacts } from './server-facts.ts'
import { hostName, type RedisHost, type RedisTarget } from './url.ts'

export type RedisArgument = string | number | Buffer
/** A reply with its strings as bytes. */
export type RedisReply = Buffer | number | null | readonly RedisReply[]

export interface RedisConnectionOptions {
  readonly target: RedisTarget
  /** Shown by CLIENT LIST. */
  readonly name: string
  /** For connecting, and for each command unless it is given its own. Default: 5 s. */
  readonly timeoutMs?: number
  /** The server may forget what it holds, under whatever policy: for caches. */
  readonly mayForget?: boolean
  /** How often the server is looked at again. Default: 1 minute. */
  readonly inspectEveryMs?: number
  /** Between 0 and 1; for the jitter of reconnecting. */
  readonly random?: () => number
}

const longestBackoffMs = 2_000
const closed = 'the connection was closed'

/**
 * One connection at a time to a server that has been looked at: after every connect, and each minute, INFO decides
 * whether it may be used. Nothing is ever sent twice: the driver's offline queue, its resending after a reconnect (20
 * times by default) and its retries are off, because only the caller knows whether a command may run again.
 *
 * A command that was not sent, or that the server refused, is a `NotAppliedError`; one that got no answer in time an
 * `OutcomeUnknownError`, and the connection is then given up, as its next answers could be late ones. It comes back by
 * itself, with pauses that grow and vary.
 */
export class RedisConnection implements AsyncDisposable {
  readonly label: string
  readonly #options: RedisConnectionOptions
  readonly #timeoutMs: number
  readonly #redis: Redis
  readonly #timer: NodeJS.Timeout
  #facts: ServerFacts | undefined
  #lastFacts: ServerFacts | undefined
  #host: RedisHost | undefined
  #trouble: { readonly what: string; readonly cause?: unknown } = { what: 'it has not been reached yet' }
  #first = Promise.withResolvers<ServerFacts>()

  private constructor(options: RedisConnectionOptions) {
    const { target, timeoutMs = 5_000, inspectEveryMs = 60_000, random = Math.random } = options
    this.#options = options
    this.label = target.label
    this.#timeoutMs = timeoutMs
    this.#redis = new Redis({
      Connector: connectorOf(target, timeoutMs, (host) => void (this.#host = host)),
      ...(target.tls && { tls: target.tls }),
      lazyConnect: true,
      connectTimeout: timeoutMs,
      disconnectTimeout: 100,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => backoffMs(attempt, longestBackoffMs, random),
      enableReadyCheck: false,
      protocol: 2,
      disableClientInfo: true,
    })
    this.#redis.on('error', (error: unknown) => this.#failed(troubleOf(error), error))
    this.#redis.on('close', () => this.#failed(closed))
    this.#redis.on('ready', () => void this.#begin())
    this.#first.promise.catch(() => {})
    this.#timer = setInterval(() => void this.#inspectAgain(), inspectEveryMs).unref()
    this.#redis.connect().catch((error: unknown) => this.#failed(troubleOf(error), error))
  }

  /** Connects in the background, for what can be done without: until then commands are refused. */
  static start(options: RedisConnectionOptions): RedisConnection {
    return new RedisConnection(options)
  }

  /** Connects once, without trying again. Rejects with one sentence that says what is wrong, without the password. */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    const connection = new RedisConnection(options)
    try {
      const { problem } = await connection.#first.promise
      if (problem !== undefined) throw new Error(problem)
      return connection
    } catch (error) {
      await connection.close()
      throw new Error(`${connection.label} cannot be used: ${messageOf(error)}`, { cause: error })
    }
  }

  /** What the server said about itself on this connection, at most a minute ago. Throws a `NotAppliedError` while there is none that may be used. */
  get facts(): ServerFacts {
    if (this.#facts === undefined) throw this.#away()
    if (this.#facts.problem !== undefined) {
      throw new NotAppliedError(`${this.label} cannot be used: ${this.#facts.problem}`)
    }
    return this.#facts
  }

  /** What it last said about itself, even while it is away; nothing before the first time. */
  get lastFacts(): ServerFacts | undefined {
    return this.#lastFacts
  }

  /** Sends one command. Commands sent in the same turn of the event loop share a connection or fail together. */
  async send(words: readonly RedisArgument[], timeoutMs = this.#timeoutMs): Promise<RedisReply> {
    void this.facts
    return this.#send(words, timeoutMs)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#redis.disconnect()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #send([first = '', ...rest]: readonly RedisArgument[], timeoutMs: number): Promise<RedisReply> {
    const command = String(first)
    if (this.#redis.status !== 'ready') throw this.#away()
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const what = `did not answer ${command} within ${timeoutMs} ms`
      const cause = new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError')
      reject(new OutcomeUnknownError(`${this.label} ${what}`, { cause }))
      this.#failed(`it ${what}`, cause)
      this.#redis.disconnect(true)
    }, timeoutMs)
    try {
      return toReply(await Promise.race([this.#redis.callBuffer(command, ...rest), late]))
    } catch (error) {
      if (isDemotion(error)) this.#redis.disconnect(true)
      throw whatBecame(error, command, this.#where)
    } finally {
      clearTimeout(timer)
    }
  }

  async #begin(): Promise<void> {
    const { target, name } = this.#options
    try {
      await greet((...words) => this.#send(words, this.#timeoutMs), target, name)
      const facts = await this.#inspect()
      // A server that stands alone is told about; of several, another one may be the primary by now.
      if (!facts.isPrimary && isLookedUp(target)) throw new Error(`${this.#where} is a read-only replica`)
      this.#learn(facts)
      this.#trouble = { what: '' }
      this.#first.resolve(facts)
    } catch (error) {
      this.#failed(troubleOf(error), error)
      this.#redis.disconnect(true)
    }
  }

  #inspect(): Promise<ServerFacts> {
    return inspect((...words) => this.#send(words, this.#timeoutMs), this.#options.mayForget === true)
  }

  async #inspectAgain(): Promise<void> {
    if (this.#facts === undefined) return
    await this.#inspectSame().then(
      (facts) => this.#learn(facts),
      () => this.#redis.disconnect(true),
    )
  }

  #learn(facts: ServerFacts): void {
    this.#facts = facts
    this.#lastFacts = facts
  }

  /** An old primary that was cut off from its successor does not know of it. */
  async #inspectSame(): Promise<ServerFacts> {
    const { target } = this.#options
    if (isLookedUp(target)) {
      const found = await findPrimary(target, this.#timeoutMs)
      if (this.#host === undefined || hostName(found) !== hostName(this.#host)) {
        throw new Error(`${hostName(found)} is the primary now`)
      }
    }
    return this.#inspect()
  }

  get #where(): string {
    const { target } = this.#options
    return isLookedUp(target) && this.#host ? `${this.label} (of these ${hostName(this.#host)})` : this.label
  }

  #failed(what: string, cause?: unknown): void {
    this.#facts = undefined
    // What broke a connection says more than that it is closed.
    if (what !== closed || this.#trouble.what === '') this.#trouble = { what, cause }
    this.#first.reject(new Error(this.#trouble.what, { cause: this.#trouble.cause }))
  }

  #away(): NotAppliedError {
    const { what, cause } = this.#trouble
    return new NotAppliedError(`${this.label} cannot be reached: ${what}`, { cause })
  }
}
