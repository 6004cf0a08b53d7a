import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { groupedCounterStore, settleTogether, type CounterEngine } from './grouped.ts'
import { tokenLimits } from './options.ts'
import { toBigint } from './outcome-text.ts'
import {
  StoreUnavailableError,
  type Counter,
  type CounterOp,
  type CounterOutcome,
  type CounterStore,
  type ScanOptions,
} from './port.ts'
import { batchLifeMs, decodeAnswer, encodeBatch } from './redis/batch.ts'
import { commitScript } from './redis/commit-script.ts'
import { RedisConnection } from './redis/connection.ts'
import { redisKeys } from './redis/keys.ts'
import { readScript, resolveScript, runScript, scanScript } from './redis/scripts.ts'
import { parseRedisUrl } from './redis/url.ts'
import { backoffMs, callLimits, type ServerStoreOptions } from './server-options.ts'
import { messageOf, startError } from './start-error.ts'
import { StoreClock } from './store-clock.ts'

export interface RedisStoreOptions extends ServerStoreOptions {
  /** `redis://[[user]:password@]host[:port][/database][?prefix=<name>][&ca=<file>]`; `rediss:` over TLS. */
  readonly url: string
  /** How often the server is looked at again. Default: 1 minute. */
  readonly inspectEveryMs?: number
}

const formatVersion = '1'

/** Operations of several callers in one script, which nobody else gets between, so a long one keeps everybody waiting. */
const maxOperations = 256

/**
 * Counters in Redis 7 or later (or what speaks its protocol and runs its scripts): one script per batch, so a batch is
 * applied whole or not at all. A write whose answer is lost is asked after under its batch's id, and voided when it
 * has not arrived, so it ends as applied or not applied unless the server stays away.
 *
 * What is written survives what the server's append-only file survives; see `capabilities.caveat`. A fail-over to a
 * replica loses what was not replicated: Redis has no write that waits for it and can be taken back.
 */
export async function redisCounterStore(options: RedisStoreOptions): Promise<CounterStore> {
  const { setting = '--store', random = Math.random, now, inspectEveryMs } = options
  const target = parseRedisUrl(options.url, setting)
  const limits = callLimits(options)
  const connection = new RedisConnection({
    target,
    limits,
    random,
    ...(inspectEveryMs !== undefined && { inspectEveryMs }),
  })
  try {
    const { caveat } = await connection.open()
    const keys = redisKeys(target.prefix)
    await connection.call('HSETNX', keys.meta, 'format', formatVersion)
    const format = await connection.call('HGET', keys.meta, 'format')
    if (format !== formatVersion) {
      throw new Error(
        `its counters under "${target.prefix}" have format ${String(format)}, and this release reads ${formatVersion}: give another ?prefix=`,
      )
    }
    const engine = new RedisEngine({
      connection,
      keys,
      options,
      random,
      ...(caveat !== undefined && { caveat }),
      ...(now && { now }),
    })
    return groupedCounterStore(engine, options)
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    const what = messageOf(error)
    const sentence = what.startsWith(connection.name) ? what : `${connection.name} cannot be used: ${what}`
    throw startError(sentence, setting, error)
  }
}

interface EngineParts {
  readonly connection: RedisConnection
  readonly keys: ReturnType<typeof redisKeys>
  readonly options: ServerStoreOptions
  readonly random: () => number
  readonly caveat?: string
  readonly now?: () => number
}

class RedisEngine implements CounterEngine {
  readonly capabilities
  readonly maxOperations = maxOperations
  readonly #parts: EngineParts
  readonly #clock = new StoreClock()

  constructor(parts: EngineParts) {
    const { caveat } = parts
    this.#parts = parts
    this.capabilities = {
      atomicity: 'batch',
      durable: caveat === undefined,
      clock: 'store',
      ...(caveat !== undefined && { caveat }),
    } as const
  }

  nowMs(): number {
    return this.#parts.now?.() ?? this.#clock.nowMs()
  }

  commit(calls: readonly (readonly CounterOp[])[]) {
    return settleTogether(calls, (ops) => this.#apply(ops))
  }

  async read(names: readonly string[]): Promise<readonly (Counter | undefined)[]> {
    const { keys } = this.#parts
    const lines = await this.#ask(readScript, [keys.meta, ...names.map(keys.counter)], names)
    const found = new Map(lines.map(toCounter).map((counter) => [counter.name, counter]))
    return names.map((name) => found.get(name))
  }

  async scan({ prefix = '', after = '', limit }: ScanOptions): Promise<readonly Counter[]> {
    const { keys } = this.#parts
    const found: Counter[] = []
    let first = after < prefix ? `[${prefix}` : `(${after}`
    const last = prefix === '' ? '+' : `[${prefix}\x7f`
    while (found.length < limit) {
      const room = limit - found.length
      const lines = await this.#ask(
        scanScript,
        [keys.meta, keys.names],
        [first === '(' ? '-' : first, last, room, keys.counter('')],
      )
      const lastSeen = lines.pop() ?? ''
      found.push(...lines.map(toCounter))
      if (lastSeen === '') break
      first = `(${lastSeen}`
    }
    return found
  }

  async check(): Promise<void> {
    await this.#parts.connection.call('PING')
  }

  close(): Promise<void> {
    return this.#parts.connection[Symbol.asyncDispose]()
  }

  async #apply(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    const { connection, keys, options, now } = this.#parts
    const id = randomUUID()
    const batch = encodeBatch(keys, id, ops, tokenLimits(options), String(now?.() ?? ''))
    const sentMs = performance.now()
    let answer: unknown
    try {
      answer = await runScript(connection, commitScript, batch.keys, batch.args)
    } catch (error) {
      if (error instanceof NotAppliedError) throw error
      answer = await this.#resolve(id, error)
    }
    if (answer === 'void') throw new NotAppliedError(`${connection.name} did not get the batch`)
    const { nowMs, outcomes } = decodeAnswer(String(answer), ops)
    this.#clock.learn(nowMs, sentMs)
    return outcomes
  }

  /** The answer that was lost, or `void`; rejects when the server could not be asked until the deadline. */
  async #resolve(id: string, lost: unknown): Promise<unknown> {
    const { connection, keys, options, random } = this.#parts
    const { resolveMs } = callLimits(options)
    if (!(lost instanceof OutcomeUnknownError)) {
      throw new OutcomeUnknownError(`${connection.name} broke off a batch: ${messageOf(lost)}`, { cause: lost })
    }
    const deadlineMs = performance.now() + resolveMs
    for (let attempt = 0; performance.now() < deadlineMs; attempt++) {
      await delay(Math.min(backoffMs(attempt, 500, random), Math.max(0, deadlineMs - performance.now())))
      try {
        return await runScript(connection, resolveScript, [keys.batch(id)], [batchLifeMs])
      } catch (error) {
        if (!(error instanceof NotAppliedError || error instanceof OutcomeUnknownError)) throw error
      }
    }
    throw new OutcomeUnknownError(`${lost.message}; it could not be asked again within ${resolveMs} ms`, {
      cause: lost,
    })
  }

  /** Lines without the time. */
  async #ask(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<string[]> {
    const { connection, now } = this.#parts
    const sentMs = performance.now()
    try {
      const reply = await runScript(connection, script, keys, [now?.() ?? '', ...args])
      if (!Array.isArray(reply)) throw new TypeError('a list is missing')
      const [time, ...lines] = reply.map(String)
      this.#clock.learn(Number(time), sentMs)
      return lines
    } catch (error) {
      throw new StoreUnavailableError(messageOf(error), { cause: error })
    }
  }
}

function toCounter(line: string): Counter {
  const [name = '', value, version, expiry = ''] = line.split(',')
  return {
    name,
    value: toBigint(value),
    version: toBigint(version),
    ...(expiry !== '' && { expiresAtMs: Number(expiry) }),
  }
}
