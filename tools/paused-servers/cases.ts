import type { BackendKind } from '@ballast/backends'
import { appProgram } from '../platform/services/app.ts'

/** A service on a server, and a call that needs it. */
export interface PausedCase {
  readonly service: string
  readonly kind: BackendKind
  readonly args: readonly string[]
  readonly env: (server: string) => Readonly<Record<string, string>>
  readonly call: (url: string) => Promise<Response>
  /** The time-outs of the service, one after the other, and some air. */
  readonly longestMs: number
}

const serve = (name: string, command: string): readonly string[] =>
  appProgram(name, command, ['--listen', '127.0.0.1:0'])
const post = (url: string, body?: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })

const counter = {
  service: 'counter',
  args: serve('counter', 'serve'),
  call: (url: string) => post(`${url}/`),
  longestMs: 18_000,
}
const messages = {
  service: 'message-store',
  args: serve('message-store', 'serve'),
  call: (url: string) => post(`${url}/messages`, { message: 'while it is away' }),
  longestMs: 18_000,
}
const queue = { service: 'load-tolerant-api', args: serve('load-tolerant-api', 'api'), longestMs: 24_000 }

export const pausedCases: readonly PausedCase[] = [
  { ...counter, kind: 'redis', env: (url) => ({ COUNTER_STORE: url }) },
  { ...counter, kind: 'postgres', env: (url) => ({ COUNTER_STORE: url }) },
  { ...counter, kind: 'dynamodb', env: (url) => ({ COUNTER_STORE: url.replace('?', '/paused?') }) },
  {
    ...messages,
    kind: 'cassandra',
    env: (url) => ({ MESSAGE_STORE_STORE: url.replace(/\/?\?/, '/paused?replication=1&') }),
  },
  { ...messages, kind: 's3', env: (url) => ({ MESSAGE_STORE_STORE: url.replace(/\/?\?/, '/paused/?create=true&') }) },
  {
    service: 'scaler',
    kind: 'postgres',
    args: serve('scaler', 'control-plane'),
    env: (url) => ({ SCALER_STORE: url }),
    call: (url) => fetch(`${url}/v1/rows`),
    longestMs: 18_000,
  },
  {
    ...queue,
    kind: 'redis',
    env: (url) => ({ LOAD_TOLERANT_API_STREAM: url, LOAD_TOLERANT_API_DOCUMENTS: 'memory:' }),
    call: (url) => fetch(`${url}/api/data`),
  },
  {
    ...queue,
    kind: 'mongodb',
    env: (url) => ({ LOAD_TOLERANT_API_STREAM: 'memory:', LOAD_TOLERANT_API_DOCUMENTS: url }),
    call: (url) => fetch(`${url}/api/stats`),
  },
]
