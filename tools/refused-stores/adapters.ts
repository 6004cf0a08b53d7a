import type { BackendKind } from '@ballast/backends'
import { appProgram } from '../platform/services/app.ts'

/** One adapter, and the service that is started on it. */
export interface Adapter {
  readonly name: string
  readonly kind: BackendKind
  /** The variable that holds the URL, which may hold a password; the service's sentence names it. */
  readonly variable: string
  readonly setting: string
  readonly args: readonly string[]
  /** What else the service needs to get as far as this store. */
  readonly env?: Readonly<Record<string, string>>
  /** A part of the server that is this name's own, made when it is missing. */
  readonly own: (server: string, name: string) => string
  /** A parameter of the URL that nobody knows. */
  readonly misspelt: (own: string) => string
  /** The same server, asked to speak TLS, and with an authority to trust. */
  readonly overTls: (own: string, caFile?: string) => string
  /** The same server, asked not to. */
  readonly withoutTls: (own: string) => string
  /** A database, keyspace or bucket that nobody has made. */
  readonly absent?: (own: string) => string
}

const nowhere = ['--listen', '127.0.0.1:0']
const search = (url: string, text: string): string => `${url}${url.includes('?') ? '&' : '?'}${text}`
const scheme = (url: string, name: string): string => url.replace(/^[a-z0-9+]+:/, `${name}:`)
const colour = (url: string): string => search(url, 'colour=blue')

const counter = {
  variable: 'COUNTER_STORE',
  setting: '--store (COUNTER_STORE)',
  args: appProgram('counter', 'serve', [...nowhere, '--store-timeout-ms', '5s']),
  misspelt: colour,
}
const messages = {
  variable: 'MESSAGE_STORE_STORE',
  setting: '--store (MESSAGE_STORE_STORE)',
  args: appProgram('message-store', 'serve', nowhere),
  misspelt: colour,
}
const redisTls = {
  overTls: (url: string, ca?: string) => scheme(ca === undefined ? url : search(url, `ca=${ca}`), 'rediss'),
  withoutTls: (url: string) => scheme(url, 'redis').replace(/[?&]ca=[^&]*/, ''),
  absent: (url: string) => url.replace(/(:\d+)[^?]*/, '$1/999'),
}
const postgresTls = {
  overTls: (url: string, ca?: string) =>
    search(url, ca === undefined ? 'sslmode=verify-full' : `sslmode=verify-full&sslrootcert=${ca}`),
  withoutTls: (url: string) => search(url.replace(/sslmode=[^&]*&?/, ''), 'sslmode=disable'),
  // Up to the slash: a password may begin with a digit.
  absent: (url: string) => url.replace(/(:\d+)\/[^?]*/, '$1/nowhere'),
}

export const adapters: readonly Adapter[] = [
  { ...counter, ...redisTls, name: 'counter/redis', kind: 'redis', own: (url, name) => `${url}?prefix=${name}` },
  {
    ...counter,
    ...postgresTls,
    name: 'counter/postgres',
    kind: 'postgres',
    own: (url, name) => `${url}?schema=${name}`,
  },
  {
    ...counter,
    name: 'counter/dynamodb',
    kind: 'dynamodb',
    own: (url, name) => url.replace('?', `/${name}?`),
    overTls: (url, ca) => search(url.replace('&tls=true', ''), ca === undefined ? 'tls=true' : `ca=${ca}`),
    withoutTls: (url) => url.replace('&tls=true', ''),
  },
  {
    ...messages,
    name: 'blob/cassandra',
    kind: 'cassandra',
    own: (url, name) => url.replace(/\/?\?/, `/${name}?replication=1&`),
    overTls: (url, ca) => search(url.replace('&tls=true', ''), ca === undefined ? 'tls=true' : `ca=${ca}`),
    withoutTls: (url) => url.replace(/[?&]tls=true/, ''),
    absent: (url) => url.replace(/\/[^/?]+\?replication=1&/, '/nowhere?'),
  },
  {
    ...messages,
    name: 'blob/s3',
    kind: 's3',
    own: (url, name) => url.replace(/\/?\?/, `/${name.replaceAll('_', '-')}?create=true&`),
    overTls: (url, ca) => scheme(ca === undefined ? url : search(url, `ca=${ca}`), 's3+https'),
    withoutTls: (url) => scheme(url, 's3+http'),
    absent: (url) => url.replace(/\/[^/?]+\?create=true&/, '/nowhere?'),
  },
  {
    ...redisTls,
    name: 'stream/redis',
    kind: 'redis',
    variable: 'LOAD_TOLERANT_API_STREAM',
    setting: '--stream (LOAD_TOLERANT_API_STREAM)',
    args: appProgram('load-tolerant-api', 'api', nowhere),
    env: { LOAD_TOLERANT_API_DOCUMENTS: 'memory:' },
    own: (url, name) => `${url}?stream=${name}`,
    misspelt: colour,
  },
  {
    name: 'document/mongodb',
    kind: 'mongodb',
    variable: 'LOAD_TOLERANT_API_DOCUMENTS',
    setting: '--documents (LOAD_TOLERANT_API_DOCUMENTS)',
    args: appProgram('load-tolerant-api', 'api', nowhere),
    env: { LOAD_TOLERANT_API_STREAM: 'memory:' },
    own: (url, name) => url.replace(/\/[^/?]*(\?|$)/, `/${name}?serverSelectionTimeoutMS=3000&`),
    misspelt: colour,
    overTls: (url, ca) =>
      search(url.replace(/tls=true&?/, ''), ca === undefined ? 'tls=true' : `tls=true&tlsCAFile=${ca}`),
    withoutTls: (url) => url.replace(/tls=true&?/, ''),
  },
  {
    ...postgresTls,
    name: 'work-item/postgres',
    kind: 'postgres',
    variable: 'SCALER_STORE',
    setting: '--store (SCALER_STORE)',
    args: appProgram('scaler', 'control-plane', nowhere),
    own: (url) => url,
    misspelt: colour,
  },
]
