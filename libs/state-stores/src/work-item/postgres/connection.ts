import pg from 'pg'
import { backoffMs } from '../../backoff.ts'
import { messageOf } from '../../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { PrimaryPool } from '../../postgres/primary-pool.ts'
import { parseServers } from '../../postgres/servers.ts'

export interface Database extends AsyncDisposable {
  /**
   * One autocommit statement: no transaction of ours is ever open across an await, so a process that is stopped
   * (SIGSTOP, a long pause) holds no lock.
   * @throws OutcomeUnknownError the connection broke; the statement may have been applied.
   * @throws NotAppliedError the server is known to be away, and it is not yet time to try again; or it gave the statement up
   * (lock or statement time-out, deadlock, serialization, no room), with its error as the cause.
   */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** For migrations only. */
  session<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
}

export interface DatabaseOptions {
  readonly url: string
  readonly applicationName: string
  /** How long one statement may take. Default: 10 s. */
  readonly timeoutMs?: number
  readonly random?: () => number
  readonly nowMs?: () => number
}

/** Below any sensible lease, so that a worker is back before others take its slots. */
const longestRetryMs = 1_000

export function connect({
  url,
  applicationName,
  timeoutMs = 10_000,
  random = Math.random,
  nowMs = () => performance.now(),
}: DatabaseOptions): Database {
  const servers = parseServers(url)
  const { name } = servers
  const pool = new PrimaryPool(servers, {
    application_name: applicationName,
    max: 6,
    connectionTimeoutMillis: Math.min(3_000, timeoutMs),
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: timeoutMs,
    // On the client's side, for a server that does not even answer any more.
    query_timeout: Math.ceil(timeoutMs * 1.2),
    lock_timeout: 500,
    idle_in_transaction_session_timeout: 5_000,
  })
  let failures = 0
  let trouble: unknown
  let notBeforeMs = 0
  let probing = false

  const lost = (cause: unknown): OutcomeUnknownError => {
    notBeforeMs = nowMs() + backoffMs(failures, longestRetryMs, random)
    failures += 1
    trouble = cause
    return new OutcomeUnknownError(`${name} cannot be reached: ${messageOf(cause)}`, { cause })
  }

  const run = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> => {
    const client = await pool.connect()
    let broken = true
    try {
      const { rows } = await client.query<Row>(text, [...values])
      broken = false
      return rows
    } catch (error) {
      if (isConnectionLoss(error) || isDemotion(error)) pool.lost(client)
      throw error
    } finally {
      client.release(broken)
    }
  }

  return {
    async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      const away = failures > 0
      // While the server is away one caller at a time looks whether it is back; a crowd would greet it with a stampede.
      if (away && (probing || nowMs() < notBeforeMs)) {
        throw new NotAppliedError(`${name} cannot be reached: ${messageOf(trouble)}`, { cause: trouble })
      }
      if (away) probing = true
      try {
        const rows = await run<Row>(text, values)
        failures = 0
        return rows
      } catch (error) {
        if (isConnectionLoss(error)) throw lost(error)
        if (isDemotion(error)) {
          throw new NotAppliedError(`${name} is a read-only standby: ${lost(error).message}`, { cause: error })
        }
        if (isGivenUp(error)) throw new NotAppliedError(`${name} gave up: ${messageOf(error)}`, { cause: error })
        throw error
      } finally {
        if (away) probing = false
      }
    },
    async session(work) {
      const client = await pool.connect()
      try {
        return await work(client)
      } finally {
        client.release()
      }
    },
    async [Symbol.asyncDispose]() {
      await pool.end()
    },
  }
}

/** How messages name the server: without user and password. */
export const serverName = (url: string): string => parseServers(url).name

/** SQLSTATE of a server's error, also of one that is the cause of ours; undefined for everything else. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof NotAppliedError) return sqlState(error.cause)
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** It takes no writes: a standby, or a primary that was made one. */
const isDemotion = (error: unknown): boolean => sqlState(error) === '25006'

function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error)
  // 08 connection exceptions, 57P0x the server is going down or not yet up, 53300 too many connections.
  return state === undefined || state.startsWith('08') || state.startsWith('57P') || state === '53300'
}

/**
 * A statement that runs in a transaction of its own and ends with one of these errors was rolled back: nothing was changed, and the same
 * statement may well succeed later. 55P03 lock time-out, 57014 statement time-out or cancelled, 40 deadlock and serialization
 * (40003 is the exception: the server does not know), 53 no disk, memory or the like.
 */
function isGivenUp(error: unknown): boolean {
  const state = sqlState(error) ?? ''
  return (
    state === '55P03' || state === '57014' || (state.startsWith('40') && state !== '40003') || state.startsWith('53')
  )
}
