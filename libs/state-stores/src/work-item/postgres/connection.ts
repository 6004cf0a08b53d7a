import type pg from 'pg'
import { PostgresConnections, type Session } from '../../postgres/connections.ts'
import { whatBecame } from '../../postgres/outcome.ts'
import { parseServers } from '../../postgres/servers.ts'

export interface Database extends AsyncDisposable {
  /** How messages name the server: without user and password. */
  readonly name: string
  /**
   * One autocommit statement: no transaction of ours is ever open across an await, so a process that is stopped
   * (SIGSTOP, a long pause) holds no lock.
   * @throws OutcomeUnknownError the connection broke; the statement may have been applied.
   * @throws NotAppliedError there is no connection, or the server refused the statement, with its error as the cause: the
   * transaction that each statement is was rolled back.
   */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** For migrations only. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>
}

export interface DatabaseOptions {
  readonly url: string
  readonly applicationName: string
  /** How long one statement may take. Default: 10 s. */
  readonly timeoutMs?: number
}

export function connect({ url, applicationName, timeoutMs = 10_000 }: DatabaseOptions): Database {
  const connections = new PostgresConnections({
    servers: parseServers(url),
    settings: {
      application_name: applicationName,
      connectionTimeoutMillis: Math.min(3_000, timeoutMs),
      statement_timeout: timeoutMs,
      // On the client's side, for a server that does not even answer any more.
      query_timeout: Math.ceil(timeoutMs * 1.2),
      lock_timeout: 500,
      idle_in_transaction_session_timeout: 5_000,
    },
  })
  const { name } = connections
  return {
    name,
    async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      try {
        const { rows } = await connections.use((session) => session.query<Row>(text, values))
        return rows
      } catch (error) {
        throw whatBecame(error, name)
      }
    },
    session: (work) => connections.use(work),
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  }
}
