import { readFileSync } from 'node:fs'

/** Where a Redis server is and how to get in. */
export interface RedisTarget {
  readonly host: string
  readonly port: number
  readonly db: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: { readonly ca?: string } | undefined
  /** The address for sentences and logs: without user and password. */
  readonly label: string
  /** The parameters behind `?`, apart from `ca`. */
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Reads `redis://user:password@host:6379/0?name=value`; `rediss:` encrypts, `?ca=<file>` names an authority to trust
 * beside those of the system. Throws a sentence that never holds the password.
 */
export function parseRedisUrl(text: string, known: readonly string[]): RedisTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = text.slice(0, text.indexOf(':') + 1)
  if (url === undefined || url.hostname === '' || (scheme !== 'redis:' && scheme !== 'rediss:')) {
    throw new Error(`the ${scheme} URL is not of the form redis://user:password@host:port/database`)
  }
  const { hostname: host, port, pathname, searchParams } = url
  const db = pathname === '' || pathname === '/' ? '0' : pathname.slice(1)
  const label = `${scheme}//${host}:${port === '' ? '6379' : port}/${db}`
  if (!/^\d{1,5}$/.test(db)) throw new Error(`${label}: "${db}" is no database; Redis numbers them from 0`)
  const parameters: Record<string, string> = Object.fromEntries(searchParams)
  const unknown = Object.keys(parameters).find((name) => name !== 'ca' && !known.includes(name))
  if (unknown !== undefined) {
    throw new Error(`${label}: "${unknown}" is no parameter here; known are ${['ca', ...known].join(', ')}`)
  }
  const { ca, ...rest } = parameters
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    db: Number(db),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    tls: scheme === 'rediss:' ? (ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }) : undefined,
    label,
    parameters: rest,
  }
}

/** A whole number given as a parameter of the URL. */
export function integerParameter({ parameters, label }: RedisTarget, name: string, otherwise: number): number {
  const text = parameters[name]
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${label}: ${name}=${text} is not a whole number`)
  return Number(text)
}
