import { startError } from '../start-error.ts'

export interface PostgresTarget {
  /** For the driver, password and all; never shown. */
  readonly connectionString: string
  readonly schema: string
  /** How messages name the server. */
  readonly name: string
}

/**
 * `postgres://user:password@host:port/database[?schema=<name>]`, and libpq's `sslmode`, `sslrootcert` and so on.
 * Throws one sentence on anything else, never with the password in it.
 */
export function parsePostgresUrl(text: string, setting: string): PostgresTarget {
  const wrong = (what: string): Error =>
    startError(`the PostgreSQL URL ${what}: write postgres://user:password@host:port/database`, setting)
  if (!URL.canParse(text)) throw wrong('cannot be read')
  const url = new URL(text)
  if (url.pathname.length < 2) throw wrong('names no database')
  const schema = url.searchParams.get('schema') ?? 'ballast_counter'
  url.searchParams.delete('schema')
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw wrong('has a schema that is not up to 63 of a-z 0-9 _')
  const name = `PostgreSQL at ${url.hostname === '' ? 'the local socket' : url.hostname}:${url.port || '5432'}`
  return { connectionString: url.href, schema, name }
}
