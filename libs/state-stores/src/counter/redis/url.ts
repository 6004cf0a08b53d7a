import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { messageOf, startError } from '../start-error.ts'

export interface RedisTarget {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly database: number
  /** All keys are `{prefix}:...`: one hash tag, so one slot, should they ever move into a cluster. */
  readonly prefix: string
  readonly tls?: { readonly ca?: string; readonly servername?: string }
}

const known = new Set(['prefix', 'ca'])

/**
 * `redis://[[user]:password@]host[:port][/database][?prefix=<name>][&ca=<file>]`; `rediss:` is the same over TLS.
 * Throws one sentence on anything else, never with the password in it.
 */
export function parseRedisUrl(text: string, setting: string): RedisTarget {
  const wrong = (what: string, cause?: unknown): Error =>
    startError(`the Redis URL ${what}: write redis://user:password@host:port/0`, setting, cause)
  if (!URL.canParse(text)) throw wrong('cannot be read')
  const url = new URL(text)
  const { protocol, hostname, port, pathname, searchParams } = url
  if (hostname === '') throw wrong('names no host')
  if (!/^\/?\d{0,5}$/.test(pathname)) throw wrong('names a database that is no number')
  const unknown = [...searchParams.keys()].find((key) => !known.has(key))
  if (unknown !== undefined) throw wrong(`has a parameter "${unknown}", and only prefix and ca are known`)
  const prefix = searchParams.get('prefix') ?? 'ballast-counter'
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(prefix)) throw wrong('has a prefix that is not 1 to 64 of A-Z a-z 0-9 . _ -')
  const username = decode(url.username)
  const password = decode(url.password)
  const caFile = searchParams.get('ca')
  let ca: string | undefined
  try {
    if (caFile !== null) ca = readFileSync(caFile, 'utf8')
  } catch (cause) {
    throw wrong(`names a ca file that cannot be read (${messageOf(cause)})`, cause)
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port: port === '' ? 6379 : Number(port),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    database: Number(pathname.slice(1)),
    prefix,
    ...(protocol === 'rediss:' && {
      tls: { ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }) },
    }),
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** How messages name the server. */
export const serverName = ({ host, port }: Pick<RedisTarget, 'host' | 'port'>): string =>
  `Redis at ${host.includes(':') ? `[${host}]` : host}:${port}`
