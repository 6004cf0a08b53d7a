import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { messageOf } from '../message-of.ts'

export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** Where a Redis server is and how to get in. */
export interface RedisTarget {
  /** Several: whichever of them is the primary; with `sentinel`, the Sentinels that know it. */
  readonly hosts: readonly RedisHost[]
  /** What Sentinels call the primary. */
  readonly sentinel?: string
  readonly username?: string
  readonly password?: string
  readonly database: number
  readonly tls?: RedisTls
  /** How messages name the server: without user and password. */
  readonly label: string
  /** The parameters behind `?` which the store has asked for. */
  readonly parameters: Readonly<Record<string, string>>
}

/** PEM texts. */
export interface RedisTls {
  /** Trusted instead of the authorities of the system. */
  readonly ca?: string
  /** For a server that asks its clients for a certificate. */
  readonly cert?: string
  readonly key?: string
}

const files = ['ca', 'cert', 'key'] as const

/**
 * Reads `redis://[[user]:password@]host[:port][/database][?name=value]`; `rediss:` is the same over TLS, with
 * `ca=<file>` for an authority of one's own and `cert=<file>&key=<file>` for a server that asks for a certificate.
 * `host:port,host:port` are a primary and its replicas, of which the primary is used whichever it is; with
 * `sentinel=<name>` they are Sentinels, which are asked for the primary of that name (without a password of their own).
 * `known` are the parameters of the store beside these. Throws one sentence, never with the password in it.
 */
export function parseRedisUrl(text: string, known: readonly string[]): RedisTarget {
  const [first, ...others] = hostsOf(text)
  const single = first === undefined || others.length === 0 ? text : text.replace([first, ...others].join(','), first)
  const url = URL.canParse(single) ? new URL(single) : undefined
  if (url === undefined || !/^rediss?:$/.test(url.protocol)) throw wrong('cannot be read')
  const { protocol, hostname, pathname, searchParams } = url
  if (hostname === '') throw wrong('names no host')
  if (!/^\/?\d{0,5}$/.test(pathname)) throw wrong('names a database that is no number')
  const own: readonly string[] = [...files, 'sentinel']
  const unknown = [...searchParams.keys()].find((name) => !known.includes(name) && !own.includes(name))
  if (unknown !== undefined) {
    throw wrong(`has a parameter "${unknown}", and only ${[...known, ...own].join(', ')} are known`)
  }
  const given = files.filter((name) => searchParams.has(name))
  if (protocol === 'redis:' && given.length > 0) throw wrong(`has a ${given.join(' and a ')}, which only rediss: uses`)
  if (searchParams.has('cert') !== searchParams.has('key')) throw wrong('has one of cert and key, which go together')
  const pem = Object.fromEntries(
    given.map((name) => {
      try {
        return [name, readFileSync(searchParams.get(name) ?? '', 'utf8')]
      } catch (cause) {
        throw wrong(`names a ${name} file that cannot be read (${messageOf(cause)})`, cause)
      }
    }),
  )
  const hosts = [url.host, ...others].map(readHost)
  const sentinel = searchParams.get('sentinel')
  const username = decode(url.username)
  const password = decode(url.password)
  return {
    hosts,
    ...(sentinel !== null && { sentinel }),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    database: Number(pathname.slice(1)),
    ...(protocol === 'rediss:' && { tls: pem }),
    label: `Redis at ${hosts.map(hostName).join(',')}`,
    parameters: Object.fromEntries([...searchParams].filter(([name]) => known.includes(name))),
  }
}

const hostsOf = (text: string): string[] => /^rediss?:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(text)?.[1]?.split(',') ?? []

function readHost(text: string): RedisHost {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined
  if (url === undefined || url.host !== text || url.hostname === '') throw wrong('has a host that cannot be read')
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? 6379 : Number(url.port) }
}

export const hostName = ({ host, port }: RedisHost): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`

/** A whole number given as a parameter of the URL. */
export function integerParameter({ parameters }: RedisTarget, name: string, otherwise: number): number {
  const text = parameters[name]
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new Error(`the Redis URL has ${name}=${text}, which is no whole number`)
  return Number(text)
}

const wrong = (what: string, cause?: unknown): Error =>
  new Error(`the Redis URL ${what}: write redis://user:password@host:port/0`, cause === undefined ? {} : { cause })

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
