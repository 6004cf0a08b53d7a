import type pg from 'pg'
import { backoffMs } from '../backoff.ts'
import { messageOf } from '../message-of.ts'
import { NotAppliedError } from '../outcome.ts'
import { isDemotion, isRefusal } from './outcome.ts'
import { PrimaryPool, type PoolSettings } from './primary-pool.ts'
import type { PostgresServers } from './servers.ts'

export interface ConnectionsOptions {
  readonly servers: PostgresServers
  readonly settings: PoolSettings
  /** Between 0 and 1; for the jitter of coming back. */
  readonly random?: () => number
  readonly nowMs?: () => number
}

/** What one caller does on one connection. */
export interface Session {
  /** Rejects with what the driver says; see `whatBecame`. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<Row>>
}

/** Below any sensible lease, so that a worker is back before others take its slots. */
const longestPauseMs = 1_000

/**
 * Connections to whichever of the servers takes writes. Nothing is ever tried again. While no server answers, one caller at a
 * time looks whether it is back, with pauses that grow and vary; the others are refused at once.
 */
export class PostgresConnections implements AsyncDisposable {
  readonly name: string
  readonly #pool: PrimaryPool
  readonly #random: () => number
  readonly #nowMs: () => number
  #failures = 0
  #notBeforeMs = 0
  #trouble: unknown
  #probing = false

  constructor({ servers, settings, random = Math.random, nowMs = () => performance.now() }: ConnectionsOptions) {
    this.name = servers.name
    this.#random = random
    this.#nowMs = nowMs
    this.#pool = new PrimaryPool(servers, { max: 6, idleTimeoutMillis: 60_000, keepAlive: true, ...settings })
  }

  /**
   * Rejects with what `work` rejects with, and with a `NotAppliedError` when there is no connection for it. One on which
   * anything failed is not used again, as it may still be busy.
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const away = this.#failures > 0
    if (away && (this.#probing || this.#nowMs() < this.#notBeforeMs)) throw this.#away()
    if (away) this.#probing = true
    try {
      return await this.#with(await this.#connect(), work)
    } finally {
      if (away) this.#probing = false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #with<T>(client: pg.PoolClient, work: (session: Session) => Promise<T>): Promise<T> {
    let broken = true
    try {
      const result = await work({ query: (text, values = []) => this.#query(client, text, values) })
      broken = false
      return result
    } finally {
      client.release(broken)
    }
  }

  async #query<Row extends pg.QueryResultRow>(
    client: pg.PoolClient,
    text: string,
    values: readonly unknown[],
  ): Promise<pg.QueryResult<Row>> {
    try {
      const result = await client.query<Row>(text, [...values])
      this.#failures = 0
      return result
    } catch (error) {
      // Of several servers another one may be the primary by now.
      if (isDemotion(error) || !isRefusal(error)) this.#pool.lost(client)
      if (isRefusal(error)) this.#failures = 0
      else this.#failed(error)
      throw error
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect()
    } catch (cause) {
      this.#failed(cause)
      throw this.#away()
    }
  }

  #failed(error: unknown): void {
    this.#trouble = error
    this.#notBeforeMs = this.#nowMs() + backoffMs(this.#failures, longestPauseMs, this.#random)
    this.#failures += 1
  }

  #away(): NotAppliedError {
    return new NotAppliedError(`${this.name} cannot be reached: ${messageOf(this.#trouble)}`, { cause: this.#trouble })
  }
}
