import { Redis, ReplyError } from 'ioredis'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import type { RedisTarget } from './url.ts'

export type RedisArgument = string | number | Buffer
/** A reply with its strings as bytes. */
export type RedisReply = Buffer | number | null | readonly RedisReply[]

export interface RedisConnectionOptions {
  readonly target: RedisTarget
  /** Shown by CLIENT LIST. */
  readonly name: string
  /** For connecting, and for each command unless it is given its own. */
  readonly timeoutMs?: number
}

const firstPauseMs = 50
const longestPauseMs = 2000
const factsAgeMs = 60_000

/** Refusals by which the server says that it has not begun. A script that fails half way has other ones. */
const definite =
  /^-?(ERR Error running script.*-)?(OOM|READONLY|LOADING|MISCONF|NOAUTH|NOPERM|WRONGPASS|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOSCRIPT|NOGROUP) /

/**
 * One connection on which nothing is ever sent twice: the driver's offline queue, its resending after a reconnect (20
 * times by default) and its retries are off, because only the caller knows whether a command may run again.
 *
 * A command that was not sent is a `NotAppliedError`, one that got no answer an `OutcomeUnknownError`. After a
 * time-out the connection is given up, so that a half-open one is replaced; it comes back by itself, with pauses that
 * grow and vary.
 */
export class RedisConnection implements AsyncDisposable {
  readonly label: string
  readonly #client: Redis
  readonly #timeoutMs: number
  #lastError: Error | undefined
  #facts: { readonly promise: Promise<ServerFacts>; readonly atMs: number } | undefined

  private constructor(client: Redis, label: string, timeoutMs: number) {
    this.#client = client
    this.label = label
    this.#timeoutMs = timeoutMs
    client.on('error', (error: Error) => void (this.#lastError = error))
    client.on('ready', () => void (this.#lastError = undefined))
    client.on('close', () => void (this.#facts = undefined))
  }

  /** Connects in the background, for what can be done without: until then commands are refused. */
  static start(options: RedisConnectionOptions): RedisConnection {
    const connection = RedisConnection.#create(options)
    connection.#client.connect().catch(() => {})
    return connection
  }

  /** Connects; rejects with one sentence that says what is wrong, without the password. */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    const { target } = options
    const connection = RedisConnection.#create(options)
    const timeoutMs = connection.#timeoutMs
    try {
      const timedOut = (): Error => new Error(`no answer within ${timeoutMs} ms`)
      await withTimeout(connection.#client.connect(), timeoutMs, timedOut)
      // The driver connects on when the database does not exist, and would use database 0.
      await connection.send(['SELECT', target.db])
    } catch (error) {
      connection.#client.disconnect()
      throw new Error(`${target.label}: ${connection.#reason(error)}`, { cause: error })
    }
    return connection
  }

  static #create({ target, name, timeoutMs = 5000 }: RedisConnectionOptions): RedisConnection {
    const client = new Redis({
      host: target.host,
      port: target.port,
      db: target.db,
      ...(target.username === undefined ? {} : { username: target.username }),
      ...(target.password === undefined ? {} : { password: target.password }),
      ...(target.tls === undefined ? {} : { tls: target.tls }),
      connectionName: name,
      protocol: 2,
      disableClientInfo: true,
      lazyConnect: true,
      connectTimeout: timeoutMs,
      disconnectTimeout: 100,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      maxLoadingRetryTime: 1000,
      retryStrategy: (attempt) => Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) * (0.5 + Math.random() / 2),
    })
    return new RedisConnection(client, target.label, timeoutMs)
  }

  /** What the server says about itself: asked anew on each connection and each minute. */
  facts(): Promise<ServerFacts> {
    const nowMs = performance.now()
    if (this.#facts !== undefined && nowMs - this.#facts.atMs < factsAgeMs) return this.#facts.promise
    const promise = readServerFacts((words) => this.send(words))
    const entry = { promise, atMs: nowMs }
    this.#facts = entry
    promise.catch(() => {
      if (this.#facts === entry) this.#facts = undefined
    })
    return promise
  }

  /** Sends one command. Commands sent in the same turn of the event loop share a connection or fail together. */
  async send(words: readonly RedisArgument[], timeoutMs = this.#timeoutMs): Promise<RedisReply> {
    const [first = '', ...rest] = words
    const command = String(first)
    if (this.#client.status !== 'ready') {
      throw new NotAppliedError(`${this.label} is not connected: ${this.#reason(this.#lastError)}`)
    }
    try {
      const sent = this.#client.callBuffer(command, ...rest)
      return toReply(
        await withTimeout(sent, timeoutMs, () => {
          this.#client.disconnect(true)
          return new OutcomeUnknownError(`${this.label} did not answer ${command} within ${timeoutMs} ms`)
        }),
      )
    } catch (error) {
      throw this.#classified(error, command)
    }
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #classified(error: unknown, command: string): unknown {
    if (error instanceof OutcomeUnknownError) return error
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof ReplyError) {
      // A replica that was the primary: whoever takes its place is found by connecting again.
      if (message.startsWith('READONLY')) this.#client.disconnect(true)
      const sentence = `${this.label} refused ${command}: ${message}`
      return definite.test(message)
        ? new NotAppliedError(sentence, { cause: error })
        : new Error(sentence, { cause: error })
    }
    if (message.startsWith("Stream isn't writeable")) {
      return new NotAppliedError(`${this.label} is not connected: ${this.#reason(this.#lastError)}`, { cause: error })
    }
    return new OutcomeUnknownError(`${this.label} was lost while it worked on ${command}`, { cause: error })
  }

  /** The driver tells a failed handshake by an event, and the caller only that the connection is closed. */
  #reason(error: unknown): string {
    const told = this.#lastError ?? error
    const message = told instanceof Error ? told.message : 'the connection was closed'
    if (/WRONGPASS|NOAUTH|invalid username-password/.test(message)) {
      return `user or password of the URL are wrong (${message.slice(0, 8).trim()})`
    }
    return message === 'Connection is closed.' ? 'the connection was closed' : message
  }
}

function withTimeout<T>(promise: Promise<T>, timeoutMs: number, onTimeout: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(onTimeout()), timeoutMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function toReply(reply: unknown): RedisReply {
  if (reply === null || typeof reply === 'number' || Buffer.isBuffer(reply)) return reply
  if (Array.isArray(reply)) return reply.map(toReply)
  if (typeof reply === 'string') return Buffer.from(reply)
  throw new TypeError(`a reply of type ${typeof reply} was not expected`)
}
