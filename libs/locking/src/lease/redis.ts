import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { redisScripts, type RedisScript } from './redis-scripts.ts'
import { LeaseStoreError, type Fence, type LeaseCall, type LeaseClaim, type LeaseStore, type Taken } from './port.ts'
import { within } from './within.ts'

export interface RedisLeaseOptions {
  /** For connecting and looking at the server. Default: 5 s. */
  readonly timeoutMs?: number
  /** Between looks at whether the server may still be trusted. Default: 1 minute. */
  readonly inspectEveryMs?: number
}

/**
 * A hash per key in one Redis primary, changed by scripts, judged by the server's time. It has no expiry, so that epochs
 * go on growing. `redis://user:password@host:port/0[?prefix=lease:]`, `rediss:` encrypts, `?ca=<file>` names an authority.
 *
 * What a fail-over to a copy that lags, or FLUSHALL, does: epochs may come again; the nonces do not. A jump of the
 * server's time of day ends leases early or late; the fence holds all the same. A server that may evict keys is refused
 * at start and, looked at each minute, while it runs. Nothing is sent twice: no offline queue, no resending.
 */
export class RedisLeaseStore implements LeaseStore {
  readonly name: string
  readonly #redis: Redis
  readonly #prefix: string
  readonly #timer: NodeJS.Timeout
  #problem: string | undefined
  #lastError = 'it has not been reached yet'

  private constructor(redis: Redis, name: string, prefix: string, inspectEveryMs: number) {
    this.#redis = redis
    this.name = name
    this.#prefix = prefix
    redis.on('error', (error: Error) => void (this.#lastError = error.message))
    // Another connection may lead to another server, after a fail-over or a restart with other settings.
    redis.on('ready', () => void this.#inspect(5_000).catch(() => {}))
    this.#timer = setInterval(() => void this.#inspect(5_000).catch(() => {}), inspectEveryMs).unref()
  }

  /** Rejects with one sentence when the server cannot be reached or may not be trusted with leases. */
  static async open(
    url: string,
    { timeoutMs = 5_000, inspectEveryMs = 60_000 }: RedisLeaseOptions = {},
  ): Promise<RedisLeaseStore> {
    const { name, prefix, ...target } = parse(url)
    const redis = new Redis({
      ...target,
      connectionName: 'ballast-lease',
      lazyConnect: true,
      connectTimeout: timeoutMs,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      protocol: 2,
      disableClientInfo: true,
      retryStrategy: (attempt) => Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2),
    })
    const store = new RedisLeaseStore(redis, name, prefix, inspectEveryMs)
    try {
      await within(redis.connect(), timeoutMs)
      await store.#inspect(timeoutMs)
      if (store.#problem !== undefined) throw new Error(store.#problem)
      return store
    } catch (error) {
      await store[Symbol.asyncDispose]()
      const reason = messageOf(error).startsWith('Connection is closed') ? store.#lastError : messageOf(error)
      throw new LeaseStoreError(`${name} cannot keep leases: ${reason}`, { cause: error })
    }
  }

  async take(key: string, { nonce, holder, ttlMs, timeoutMs }: LeaseClaim): Promise<Taken> {
    const reply = await this.#run(redisScripts.take, key, [nonce, holder, Math.ceil(ttlMs)], timeoutMs)
    const [taken, epoch, heldBy, freeInMs] = Array.isArray(reply) ? reply : []
    if (taken === 1) return { taken: true, epoch: BigInt(String(epoch)) }
    return { taken: false, holder: String(heldBy), freeInMs: Number(freeInMs) }
  }

  async renew(key: string, { epoch, nonce }: Fence, { ttlMs, timeoutMs }: LeaseCall): Promise<boolean> {
    return (await this.#run(redisScripts.renew, key, [nonce, String(epoch), Math.ceil(ttlMs)], timeoutMs)) === 1
  }

  async release(key: string, nonce: string, { timeoutMs }: Pick<LeaseCall, 'timeoutMs'>): Promise<boolean> {
    return (await this.#run(redisScripts.release, key, [nonce], timeoutMs)) === 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#redis.disconnect()
  }

  async #run(script: RedisScript, key: string, args: (string | number)[], timeoutMs: number): Promise<unknown> {
    if (this.#problem !== undefined) throw new LeaseStoreError(`${this.name} cannot keep leases: ${this.#problem}`)
    // After a time-out the connection is replaced: a half-open one would never answer again.
    const call = (words: Promise<unknown>): Promise<unknown> =>
      within(words, timeoutMs, () => this.#redis.disconnect(true))
    const name = `${this.#prefix}${key}`
    try {
      return await call(this.#redis.evalsha(script.sha, 1, name, ...args)).catch((error: unknown) => {
        // A server that does not know the script has not begun.
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error
        return call(this.#redis.eval(script.source, 1, name, ...args))
      })
    } catch (error) {
      // A primary that became a replica: its name may lead to its successor already.
      if (/^(READONLY|MASTERDOWN)/.test(messageOf(error))) this.#redis.disconnect(true)
      const reason = this.#redis.status === 'ready' ? messageOf(error) : `${messageOf(error)} (${this.#lastError})`
      throw new LeaseStoreError(`${this.name} did not do it: ${reason}`, { cause: error })
    }
  }

  async #inspect(timeoutMs: number): Promise<void> {
    const info = await within(this.#redis.info(), timeoutMs)
    this.#problem = problemOf(new Map(info.split('\r\n').map((line) => splitAt(line, ':'))))
  }
}

function problemOf(info: ReadonlyMap<string, string>): string | undefined {
  const policy = info.get('maxmemory_policy')
  if (info.get('redis_mode') === 'cluster') return 'it runs in cluster mode: name a single primary'
  if (info.get('role') !== 'master') return 'it is a replica: name the primary'
  if (policy !== 'noeviction') return `it has maxmemory-policy ${policy} and may forget leases: set it to noeviction`
  return undefined
}

function parse(text: string) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url === undefined ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^\/?\d{0,5}$/.test(url.pathname)
  ) {
    throw new LeaseStoreError('the Redis URL cannot be read: write redis://user:password@host:port/0')
  }
  const { searchParams, hostname: host } = url
  const unknown = [...searchParams.keys()].find((name) => name !== 'ca' && name !== 'prefix')
  if (unknown !== undefined) {
    throw new LeaseStoreError(`the Redis URL has a parameter "${unknown}", and only ca and prefix are known`)
  }
  const ca = searchParams.get('ca')
  const port = Number(url.port === '' ? 6379 : url.port)
  return {
    name: `Redis at ${host}:${port}`,
    prefix: searchParams.get('prefix') ?? 'lease:',
    host,
    port,
    db: Number(url.pathname.slice(1)),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: ca === null ? {} : { ca: readFileSync(ca, 'utf8') } }),
  }
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + separator.length)]
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
