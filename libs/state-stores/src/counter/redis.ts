import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../backoff.ts'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { RedisConnection } from '../redis/connection.ts'
import { asList, asText } from '../redis/reply.ts'
import { runScript, type Script } from '../redis/script.ts'
import { parseRedisUrl } from '../redis/url.ts'
import { groupedCounterStore, settleTogether, type CounterEngine } from './grouped.ts'
import { capabilitiesOf } from './server-capabilities.ts'
import { tokenLimits } from './options.ts'
import { toBigint } from './outcome-text.ts'
import {
  StoreUnavailableError,
  type Counter,
  type CounterCapabilities,
  type CounterOp,
  type CounterOutcome,
  type CounterStore,
  type ScanOptions,
} from './port.ts'
import { batchLifeMs, decodeAnswer, encodeBatch } from './redis/batch.ts'
import { commitScript } from './redis/commit-script.ts'
import { redisKeys } from './redis/keys.ts'
import { readScript, resolveScript, scanScript } from './redis/scripts.ts'
import { callLimits, type ServerStoreOptions } from './server-options.ts'
import { startError } from '../start-error.ts'
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
  const { setting = '--store' } = options
  try {
    return await open(options)
  } catch (error) {
    throw startError(messageOf(error), setting, error)
  }
}

async function open(options: RedisStoreOptions): Promise<CounterStore> {
  const { random = Math.random, now, inspectEveryMs } = options
  const target = parseRedisUrl(options.url, ['prefix'])
  const { prefix = 'ballast-counter' } = target.parameters
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) {
    throw new Error('the Redis URL has a prefix that is not 1 to 64 of A-Z a-z 0-9 . _ -')
  }
  const { timeoutMs } = callLimits(options)
  await using opened = new AsyncDisposableStack()
  const connection = opened.use(
    await RedisConnection.open({
      target,
      name: 'ballast-counter',
      timeoutMs,
      random,
      ...(inspectEveryMs !== undefined && { inspectEveryMs }),
    }),
  )
  const keys = redisKeys(prefix)
  await connection.send(['HSETNX', keys.meta, 'format', formatVersion])
  const format = asText(await connection.send(['HGET', keys.meta, 'format']))
  if (format !== formatVersion) {
    throw new Error(
      `${target.label} cannot be used: its counters under "${prefix}" have format ${format}, and this release reads ${formatVersion}: upgrade this service, or give another ?prefix=`,
    )
  }
  const engine = new RedisEngine({
    connection,
    keys,
    options,
    random,
    ...(now && { now }),
  })
  opened.move()
  return groupedCounterStore(engine, options)
}

interface EngineParts {
  readonly connection: RedisConnection
  readonly keys: ReturnType<typeof redisKeys>
  readonly options: ServerStoreOptions
  readonly random: () => number
  readonly now?: () => number
}

class RedisEngine implements CounterEngine {
  readonly maxOperations = maxOperations
  readonly #parts: EngineParts
  readonly #clock = new StoreClock()

  constructor(parts: EngineParts) {
    this.#parts = parts
  }

  get capabilities(): CounterCapabilities {
    return capabilitiesOf(this.#parts.connection.lastFacts?.caveat)
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
    await this.#parts.connection.send(['PING'])
  }

  close(): Promise<void> {
    return this.#parts.connection[Symbol.asyncDispose]()
  }

  async #apply(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    const { connection, keys, options, now } = this.#parts
    const id = randomUUID()
    const batch = encodeBatch(keys, id, ops, tokenLimits(options), String(now?.() ?? ''))
    const sentMs = performance.now()
    let answer: string
    try {
      answer = asText(await runScript(connection, commitScript, batch.keys, batch.args))
    } catch (error) {
      if (error instanceof NotAppliedError) throw error
      answer = await this.#resolve(id, error)
    }
    if (answer === 'void') throw new NotAppliedError(`${connection.label} did not get the batch`)
    const { nowMs, outcomes } = decodeAnswer(answer, ops)
    this.#clock.learn(nowMs, sentMs)
    return outcomes
  }

  /** The answer that was lost, or `void`; rejects when the server could not be asked until the deadline. */
  async #resolve(id: string, lost: unknown): Promise<string> {
    const { connection, keys, options, random } = this.#parts
    const { resolveMs } = callLimits(options)
    if (!(lost instanceof OutcomeUnknownError)) {
      throw new OutcomeUnknownError(`${connection.label} broke off a batch: ${messageOf(lost)}`, { cause: lost })
    }
    const deadlineMs = performance.now() + resolveMs
    for (let attempt = 0; performance.now() < deadlineMs; attempt++) {
      await delay(Math.min(backoffMs(attempt, 500, random), Math.max(0, deadlineMs - performance.now())))
      try {
        return asText(await runScript(connection, resolveScript, [keys.batch(id)], [batchLifeMs]))
      } catch (error) {
        if (!(error instanceof NotAppliedError || error instanceof OutcomeUnknownError)) throw error
      }
    }
    throw new OutcomeUnknownError(`${lost.message}; it could not be asked again within ${resolveMs} ms`, {
      cause: lost,
    })
  }

  /** Lines without the time. */
  async #ask(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<string[]> {
    const { connection, now } = this.#parts
    const sentMs = performance.now()
    try {
      const reply = await runScript(connection, script, keys, [now?.() ?? '', ...args])
      const [time, ...lines] = asList(reply).map(asText)
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
