import pg from 'pg'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { backoffMs } from '../../backoff.ts'
import type { CallLimits } from '../server-options.ts'
import { messageOf } from '../../message-of.ts'
import { PrimaryPool } from '../../postgres/primary-pool.ts'
import type { PostgresTarget } from './url.ts'

/** SQLSTATE of a server's error; undefined for everything else. */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined

/** The server said no; whatever the statement was to do is not done. */
export const isRefusal = (error: unknown): boolean => {
  const state = sqlState(error)
  // 57P01 to 57P03: it is going down or not yet up, and the connection with it; 08: the connection broke.
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57P')
}

/** It takes no writes: a standby, or a primary that was made one. */
const isDemotion = (error: unknown): boolean => sqlState(error) === '25006'

export interface Session {
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<Row>>
}

/** Connections to one database, each with time-outs on both sides. Nothing is ever tried again. */
export class PostgresConnections implements AsyncDisposable {
  readonly name: string
  readonly #pool: PrimaryPool
  readonly #random: () => number
  #failures = 0
  #notBeforeMs = 0
  #trouble: unknown

  constructor({ servers, name }: PostgresTarget, { timeoutMs }: Pick<CallLimits, 'timeoutMs'>, random: () => number) {
    this.name = name
    this.#random = random
    this.#pool = new PrimaryPool(servers, {
      application_name: 'ballast-counter',
      max: 6,
      connectionTimeoutMillis: timeoutMs,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      // The server gives up first, so that the client learns what became of the statement.
      statement_timeout: Math.ceil(timeoutMs * 0.8),
      lock_timeout: Math.ceil(timeoutMs * 0.6),
      idle_in_transaction_session_timeout: Math.ceil(timeoutMs * 2),
      query_timeout: timeoutMs,
    })
  }

  /**
   * A connection for `work`; one on which anything failed is not used again, as it may still be busy. While the server
   * is away only one call now and then looks whether it is back; the others are refused at once.
   */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#failures > 0 && performance.now() < this.#notBeforeMs) throw this.#away()
    const client = await this.#connect()
    let broken = true
    try {
      const result = await work({
        query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
          client.query<Row>(text, [...values]),
      })
      broken = false
      this.#failures = 0
      return result
    } catch (error) {
      if (isDemotion(error) || (!isRefusal(error) && !(error instanceof NotAppliedError))) {
        this.#failed(error)
        this.#pool.lost(client)
      }
      throw error
    } finally {
      client.release(broken)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
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
    this.#notBeforeMs = performance.now() + backoffMs(this.#failures, 1_000, this.#random)
    this.#failures += 1
  }

  #away(): NotAppliedError {
    return new NotAppliedError(`${this.name} cannot be reached: ${messageOf(this.#trouble)}`, { cause: this.#trouble })
  }
}

/** What a failed statement means to whoever asked for a write. */
export function asOutcome(error: unknown, name: string): Error {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  if (isDemotion(error)) {
    const advice = 'give the address of its primary, or of all servers (postgres://host1,host2/database)'
    return new NotAppliedError(`${name} is a read-only standby: ${advice}`, { cause: error })
  }
  if (isRefusal(error)) return new NotAppliedError(`${name} refused: ${messageOf(error)}`, { cause: error })
  return new OutcomeUnknownError(`${name} was lost before it answered: ${messageOf(error)}`, { cause: error })
}
