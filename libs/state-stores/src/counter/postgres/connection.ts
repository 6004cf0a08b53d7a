import { PostgresConnections } from '../../postgres/connections.ts'
import type { CallLimits } from '../server-options.ts'
import type { PostgresTarget } from './url.ts'

/** With time-outs on both sides. */
export function connect(
  { servers }: PostgresTarget,
  { timeoutMs }: Pick<CallLimits, 'timeoutMs'>,
  random: () => number,
): PostgresConnections {
  return new PostgresConnections({
    servers,
    random,
    settings: {
      application_name: 'ballast-counter',
      connectionTimeoutMillis: timeoutMs,
      // The server gives up first, so that the client learns what became of the statement.
      statement_timeout: Math.ceil(timeoutMs * 0.8),
      lock_timeout: Math.ceil(timeoutMs * 0.6),
      idle_in_transaction_session_timeout: Math.ceil(timeoutMs * 2),
      query_timeout: timeoutMs,
    },
  })
}
