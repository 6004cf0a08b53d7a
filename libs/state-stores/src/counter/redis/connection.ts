import { Redis, ReplyError } from 'ioredis'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { backoffMs, type CallLimits } from '../server-options.ts'
import { messageOf } from '../start-error.ts'
import { judgeServer, type ServerFacts } from './inspect.ts'
import { serverName, type RedisTarget } from './url.ts'

export interface ConnectionOptions {
  readonly target: RedisTarget
  readonly limits: Pick<CallLimits, 'timeoutMs'>
  readonly random: () => number
  /** How often the server is looked at again. Default: 1 minute. */
  readonly inspectEveryMs?: number
}

const longestBackoffMs = 2_000

/**
 * One connection at a time to a server that has been looked at: after every connect, and each minute, INFO decides
 * whether it may be written to. ioredis would send unanswered commands again after a reconnect, and hold others back
 * until then; both would run a write whose caller has been told otherwise, so both are off.
 */
export class RedisConnection implements AsyncDisposable {
  readonly name: string
  readonly #target: RedisTarget
  readonly #timeoutMs: number
  readonly #redis: Redis
  readonly #timer: NodeJS.Timeout
  #facts: ServerFacts | undefined
  #trouble = 'it has not been reached yet'
  #first = Promise.withResolvers<ServerFacts>()

  constructor({ target, limits: { timeoutMs }, random, inspectEveryMs = 60_000 }: ConnectionOptions) {
    this.#target = target
    this.name = serverName(target)
    this.#timeoutMs = timeoutMs
    const { host, port, tls } = target
    this.#redis = new Redis({
      host,
      port,
      ...(tls && { tls }),
      lazyConnect: true,
      connectTimeout: timeoutMs,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => backoffMs(attempt, longestBackoffMs, random),
      // The handshake is ours: that of ioredis writes to the console about a password that is not needed.
      enableReadyCheck: false,
      protocol: 2,
      disableClientInfo: true,
    })
    this.#redis.on('error', (error: unknown) => this.#failed(messageOf(error)))
    this.#redis.on('close', () => this.#failed('the connection was closed'))
    this.#redis.on('ready', () => void this.#greet())
    this.#first.promise.catch(() => {})
    this.#timer = setInterval(() => void this.#inspectAgain(), inspectEveryMs).unref()
  }

  /** Connects once, without trying again. Rejects with what is wrong, as the end of a sentence on the server. */
  async open(): Promise<ServerFacts> {
    this.#redis.connect().catch((error: unknown) => this.#failed(messageOf(error)))
    const facts = await this.#first.promise
    if (facts.problem !== undefined) throw new Error(facts.problem)
    return facts
  }

  /**
   * Rejects with `NotAppliedError` when nothing was sent or the server refused it, and with `OutcomeUnknownError` when
   * it was sent and no answer came in time; the connection is then replaced, as its next answers could be late ones.
   */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const problem = this.problem
    if (problem !== undefined) throw new NotAppliedError(problem)
    return this.#send(command, args)
  }

  /** One sentence while the server cannot be used. */
  get problem(): string | undefined {
    if (this.#facts === undefined) return `${this.name} cannot be reached: ${this.#trouble}`
    return this.#facts.problem === undefined ? undefined : `${this.name} cannot be used: ${this.#facts.problem}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#redis.disconnect()
  }

  async #send(command: string, args: (string | number)[]): Promise<unknown> {
    if (this.#redis.status !== 'ready') throw new NotAppliedError(`${this.name} cannot be reached: ${this.#trouble}`)
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      reject(new OutcomeUnknownError(`${this.name} did not answer within ${this.#timeoutMs} ms`))
      this.#failed(`it did not answer within ${this.#timeoutMs} ms`)
      this.#redis.disconnect(true)
    }, this.#timeoutMs)
    try {
      return await Promise.race([this.#redis.call(command, ...args), late])
    } catch (error) {
      throw this.#judge(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #judge(error: unknown): unknown {
    if (error instanceof OutcomeUnknownError) return error
    const message = messageOf(error)
    if (!(error instanceof ReplyError)) {
      if (message.startsWith("Stream isn't writeable"))
        return new NotAppliedError(`${this.name} cannot be reached`, { cause: error })
      return new OutcomeUnknownError(`${this.name} was lost before it answered: ${message}`, { cause: error })
    }
    const code = /^[A-Z]+/.exec(message)?.[0] ?? ''
    // A fail-over made it a replica: its name may lead to the new primary already.
    if (code === 'READONLY' || code === 'MASTERDOWN') this.#redis.disconnect(true)
    return refusals.has(code) ? new NotAppliedError(`${this.name} refused: ${message}`, { cause: error }) : error
  }

  async #greet(): Promise<void> {
    try {
      const { username, password, database } = this.#target
      if (password !== undefined) await this.#authenticate(username, password)
      if (database !== 0) {
        await this.#send('SELECT', [database]).catch((cause: unknown) => {
          throw new Error(`it has no database ${database} (${messageOf(cause)}): choose another number`, { cause })
        })
      }
      this.#facts = await this.#inspect()
      this.#trouble = ''
      this.#first.resolve(this.#facts)
    } catch (error) {
      this.#failed(messageOf(error))
      this.#redis.disconnect(true)
    }
  }

  async #authenticate(username: string | undefined, password: string): Promise<void> {
    try {
      await this.#send('AUTH', username === undefined ? [password] : [username, password])
    } catch (cause) {
      // A server that asks for no password lets in whoever has one.
      if (/without any password configured/.test(messageOf(cause))) return
      throw new Error('the user name or the password is wrong: correct them', { cause })
    }
  }

  async #inspect(): Promise<ServerFacts> {
    const info = await this.#send('INFO', []).catch((cause: unknown) => {
      const needed = /NOAUTH/.test(messageOf(cause))
      throw needed ? new Error('it asks for a password: put it into the URL', { cause }) : cause
    })
    if (typeof info !== 'string') throw new Error('it does not tell what it is')
    const fsync = await this.#send('CONFIG', ['GET', 'appendfsync']).catch(() => undefined)
    return judgeServer(info, Array.isArray(fsync) ? String(fsync[1]) : undefined)
  }

  async #inspectAgain(): Promise<void> {
    if (this.#facts === undefined) return
    await this.#inspect().then(
      (facts) => void (this.#facts = facts),
      () => this.#redis.disconnect(true),
    )
  }

  #failed(trouble: string): void {
    this.#facts = undefined
    // What broke a connection says more than that it is closed.
    if (trouble !== 'the connection was closed' || this.#trouble === '') this.#trouble = trouble
    this.#first.reject(new Error(this.#trouble))
  }
}

/** Answers with which a server has changed nothing: those it gives before a script begins, or at its first write. */
const refusals: ReadonlySet<string> = new Set(
  'OOM READONLY MISCONF NOAUTH NOPERM WRONGPASS LOADING MASTERDOWN CLUSTERDOWN MOVED ASK BUSY NOSCRIPT NOREPLICAS BALLAST'.split(
    ' ',
  ),
)
