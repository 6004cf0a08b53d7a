/** A primary and its standbys, or one server, as a URL names them. */
export interface PostgresServers {
  /** One for the driver each, password and all; never shown. */
  readonly urls: readonly string[]
  /** How messages name each of them, and all together. */
  readonly names: readonly string[]
  readonly name: string
}

const form = 'write postgres://user:password@host:port/database'
/** What libpq calls a server that can be written to; no other kind will do. */
const writable = new Set(['read-write', 'primary'])

/** Those of libpq that the driver knows, and one of its own. It takes any other word for `require`. */
const modes: readonly string[] = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full']

/** What libpq and the driver know and people put into such URLs; a misspelt one would silently not hold. */
const parameters = new Set(
  'application_name channel_binding client_encoding connect_timeout fallback_application_name gssencmode host keepalives keepalives_idle options sslcert sslkey sslmode sslnegotiation sslrootcert target_session_attrs uselibpqcompat'.split(
    ' ',
  ),
)

/**
 * `postgres://user:password@host:port,host:port/database`, with libpq's `target_session_attrs=read-write` or without
 * it; `known` are the parameters of the store beside those of libpq. Throws one sentence on anything else, never with the password in it.
 */
export function parseServers(text: string, known: readonly string[] = []): PostgresServers {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/.exec(text)
  if (parts === null) throw new Error(`the PostgreSQL URL cannot be read: ${form}`)
  const [, login = '', hosts = '', rest = ''] = parts
  const urls = hosts.split(',').map((host) => {
    const single = `${login}${host}${rest}`
    if (!URL.canParse(single)) throw new Error(`the PostgreSQL URL cannot be read: ${form}`)
    const url = new URL(single)
    const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name) && !known.includes(name))
    if (unknown !== undefined) throw new Error(`the PostgreSQL URL has a parameter "${unknown}", which nobody knows`)
    const mode = url.searchParams.get('sslmode') ?? 'disable'
    if (!modes.includes(mode)) {
      throw new Error(`the PostgreSQL URL has sslmode=${mode}, and only ${modes.join(', ')} are known`)
    }
    const target = url.searchParams.get('target_session_attrs') ?? 'read-write'
    if (!writable.has(target)) {
      throw new Error('the PostgreSQL URL has a target_session_attrs other than read-write and primary: leave it out')
    }
    url.searchParams.delete('target_session_attrs')
    return url
  })
  const names = urls.map(({ hostname, port }) => `${hostname === '' ? 'the local socket' : hostname}:${port || '5432'}`)
  return { urls: urls.map(({ href }) => href), names, name: `PostgreSQL at ${names.join(',')}` }
}
