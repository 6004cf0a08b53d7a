import { messageOf } from '../../message-of.ts'
import { parseServers, type PostgresServers } from '../../postgres/servers.ts'
import { startError } from '../../start-error.ts'

export interface PostgresTarget {
  readonly servers: PostgresServers
  readonly schema: string
  /** How messages name the server. */
  readonly name: string
}

/**
 * `postgres://user:password@host:port/database[?schema=<name>]`, and libpq's `sslmode`, `sslrootcert` and so on; a
 * primary and its standbys are `host:port,host:port`.
 * Throws one sentence on anything else, never with the password in it.
 */
export function parsePostgresUrl(text: string, setting: string): PostgresTarget {
  const wrong = (what: string): Error =>
    startError(`the PostgreSQL URL ${what}: write postgres://user:password@host:port/database`, setting)
  const servers = readServers(text, setting)
  const url = new URL(servers.urls[0] ?? '')
  if (url.pathname.length < 2) throw wrong('names no database')
  const schema = url.searchParams.get('schema') ?? 'ballast_counter'
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw wrong('has a schema that is not up to 63 of a-z 0-9 _')
  return { servers: { ...servers, urls: servers.urls.map(withoutSchema) }, schema, name: servers.name }
}

/** What the driver does not know it would send to the server. */
function withoutSchema(text: string): string {
  const url = new URL(text)
  url.searchParams.delete('schema')
  return url.href
}

function readServers(text: string, setting: string): PostgresServers {
  try {
    return parseServers(text, ['schema'])
  } catch (error) {
    throw startError(messageOf(error), setting, error)
  }
}
