import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../backoff.ts'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { groupedCounterStore, settleTogether, type CounterEngine } from './grouped.ts'
import { tokenLimits } from './options.ts'
import {
  StoreUnavailableError,
  type Counter,
  type CounterCapabilities,
  type CounterOp,
  type CounterOutcome,
  type CounterStore,
  type ScanOptions,
} from './port.ts'
import { checkServer, type ServerFacts } from './postgres/check-server.ts'
import type { PostgresConnections, Session } from '../postgres/connections.ts'
import { isRefusal, whatBecame } from '../postgres/outcome.ts'
import { connect } from './postgres/connection.ts'
import { migrate } from './postgres/migrate.ts'
import { readCounters, scanCounters, type ReadAnswer } from './postgres/reads.ts'
import { sweep } from './postgres/sweep.ts'
import { applyBatch, InterferenceError, resolveBatch, type Loaded } from './postgres/transaction.ts'
import { parsePostgresUrl, type PostgresTarget } from './postgres/url.ts'
import { callLimits, type ServerStoreOptions } from './server-options.ts'
import { capabilitiesOf } from './server-capabilities.ts'
import { startError } from '../start-error.ts'
import { StoreClock } from './store-clock.ts'

export interface PostgresStoreOptions extends ServerStoreOptions {
  /** `postgres://user:password@host:port/database[?schema=<name>]`, and libpq's `sslmode`, `sslrootcert` and so on. */
  readonly url: string
  /** Default: 10 s. */
  readonly sweepEveryMs?: number
}

/** Operations of several callers in one transaction; a block of versions. */
const maxOperations = 1024
/** How often a transaction is begun anew when another one got between. */
const attempts = 5

/**
 * Counters in PostgreSQL 14 or later: one transaction per batch, which locks the rows it needs in the order of their names, so
 * several processes may share the tables and only wait for each other where they write the same counter. A COMMIT whose
 * answer is lost is asked after by the row of its batch, and voided when it has not happened.
 *
 * The limit of tokens is exact for one process; several may each exceed it by what they commit at the same moment. A
 * fail-over to an asynchronous stand-by loses what was not replicated. A transaction pooler must not be in between: it
 * drops the time-outs.
 */
export async function postgresCounterStore(options: PostgresStoreOptions): Promise<CounterStore> {
  const { setting = '--store', random = Math.random } = options
  const target = parsePostgresUrl(options.url, setting)
  const connections = connect(target, callLimits(options), random)
  try {
    const facts = await connections.use(async (session) => {
      const checked = await checkServer(session)
      await migrate(session, target.schema)
      return checked
    })
    return groupedCounterStore(new PostgresEngine(connections, target, facts, options), options)
  } catch (error) {
    await connections[Symbol.asyncDispose]()
    const what = messageOf(error)
    throw startError(what.startsWith(target.name) ? what : `${target.name} cannot be used: ${what}`, setting, error)
  }
}

class PostgresEngine implements CounterEngine {
  readonly maxOperations = maxOperations
  readonly #connections: PostgresConnections
  readonly #target: PostgresTarget
  readonly #options: PostgresStoreOptions
  readonly #writer = randomUUID()
  readonly #clock = new StoreClock()
  readonly #sweeping: NodeJS.Timeout
  #caveat: string | undefined

  constructor(
    connections: PostgresConnections,
    target: PostgresTarget,
    { caveat }: ServerFacts,
    options: PostgresStoreOptions,
  ) {
    this.#caveat = caveat
    this.#connections = connections
    this.#target = target
    this.#options = options
    this.#sweeping = setInterval(() => {
      // What it could not do now it does the next time.
      connections
        .use(async (session) => {
          await this.#inspect(session)
          await sweep(session, target.schema, options.now?.())
        })
        .catch(() => {})
    }, options.sweepEveryMs ?? 10_000).unref()
  }

  get capabilities(): CounterCapabilities {
    return capabilitiesOf(this.#caveat)
  }

  nowMs(): number {
    return this.#options.now?.() ?? this.#clock.nowMs()
  }

  commit(calls: readonly (readonly CounterOp[])[]) {
    return settleTogether(calls, (ops) => this.#apply(ops))
  }

  async read(names: readonly string[]): Promise<readonly (Counter | undefined)[]> {
    const found = await this.#ask((session) => readCounters(session, this.#target.schema, names, this.#options.now?.()))
    const byName = new Map(found.map((counter) => [counter.name, counter]))
    return names.map((name) => byName.get(name))
  }

  scan(scan: ScanOptions): Promise<readonly Counter[]> {
    return this.#ask((session) => scanCounters(session, this.#target.schema, scan, this.#options.now?.()))
  }

  async check(): Promise<void> {
    await this.#ask(async (session) => {
      await this.#inspect(session).catch((error: unknown) => {
        throw new Error(`${this.#target.name} cannot be used: ${messageOf(error)}`, { cause: error })
      })
      return { counters: [] }
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping)
    await this.#connections[Symbol.asyncDispose]()
  }

  /** Its settings can be changed, and another server take its place. */
  async #inspect(session: Session): Promise<void> {
    this.#caveat = (await checkServer(session)).caveat
  }

  async #apply(ops: readonly CounterOp[]): Promise<readonly CounterOutcome[]> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const sentMs = performance.now()
      const loaded = await this.#transact(ops)
      if (loaded === undefined) continue
      this.#clock.learn(loaded.nowMs, sentMs)
      return loaded.outcomes
    }
    throw new NotAppliedError(`${this.#target.name}: other transactions got between ${attempts} times`)
  }

  /** `undefined` when nothing was applied because of another transaction. */
  async #transact(ops: readonly CounterOp[]): Promise<Loaded | undefined> {
    const batchId = randomUUID()
    const { schema, name } = this.#target
    const limits = tokenLimits(this.#options)
    let folded: Loaded | undefined
    try {
      return await this.#connections.use(async (session) => {
        try {
          const applied = await applyBatch(session, batchId, ops, {
            schema,
            writer: this.#writer,
            limits,
            nowMs: this.#options.now?.(),
          })
          folded = applied
        } catch (error) {
          if (!isRefusal(error) && !(error instanceof InterferenceError)) throw error
          await session.query('ROLLBACK')
          if (error instanceof InterferenceError) return undefined
          throw error
        }
        const { command } = await session.query('COMMIT')
        if (command !== 'COMMIT') throw new NotAppliedError(`${name} rolled the batch back`)
        return folded
      })
    } catch (error) {
      const outcome = whatBecame(error, name)
      if (outcome instanceof NotAppliedError) throw outcome
      // Without a COMMIT on its way nothing can have been applied.
      if (folded === undefined) throw new NotAppliedError(outcome.message, { cause: error })
      return this.#resolve(batchId, folded, outcome)
    }
  }

  async #resolve(batchId: string, folded: Loaded, lost: Error): Promise<Loaded> {
    const { schema, name } = this.#target
    const { resolveMs } = callLimits(this.#options)
    const { random = Math.random } = this.#options
    const deadlineMs = performance.now() + resolveMs
    for (let attempt = 0; performance.now() < deadlineMs; attempt++) {
      await delay(Math.min(backoffMs(attempt, 500, random), Math.max(0, deadlineMs - performance.now())))
      const state = await this.#connections
        .use((session) => resolveBatch(session, batchId, schema))
        .catch(() => 'unknown' as const)
      if (state === 'applied') return folded
      if (state === 'void') throw new NotAppliedError(`${name} did not commit the batch`, { cause: lost })
    }
    throw new OutcomeUnknownError(`${lost.message}; it could not be asked again within ${resolveMs} ms`, {
      cause: lost,
    })
  }

  async #ask(question: (session: Session) => Promise<ReadAnswer>): Promise<readonly Counter[]> {
    const sentMs = performance.now()
    try {
      const { counters, nowMs } = await this.#connections.use(question)
      if (nowMs !== undefined) this.#clock.learn(nowMs, sentMs)
      return counters
    } catch (error) {
      const what = messageOf(error)
      const { name } = this.#target
      throw new StoreUnavailableError(what.startsWith(name) ? what : `${name} did not answer: ${what}`, {
        cause: error,
      })
    }
  }
}
