import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import type { BackendKind, BackendOptions } from './backend.ts'
import { cacheFolder } from './cache.ts'

/** What a guard is started with, as JSON in its only argument. */
export interface GuardOrder {
  readonly kind: BackendKind
  /** Also the name under which it can be reached. */
  readonly name: string
  readonly options: BackendOptions
  /** How long the server outlives its last user; 0 for a private one, Infinity travels as null. */
  readonly lingerMs: number | null
}

export type GuardAction = 'restart' | 'kill' | 'pause' | 'resume' | 'stop'

/** Client to guard, one JSON object a line. */
export interface GuardRequest {
  readonly id: number
  readonly action: GuardAction
}

/** Guard to client, one JSON object a line: first one `server` or `failure`, then one `done` per request. */
export type GuardMessage =
  | { readonly type: 'server'; readonly server: ServerFacts }
  | { readonly type: 'failure'; readonly message: string; readonly unavailable: boolean }
  | { readonly type: 'done'; readonly id: number; readonly error?: string; readonly pid?: number }

export interface ServerFacts {
  readonly url: string
  readonly version: string
  readonly origin: 'container' | 'path' | 'registry'
  readonly readyAfterMs: number
  readonly ca?: string
  readonly caFile?: string
  readonly logFile: string
  readonly pid?: number
  readonly guardPid: number
}

/**
 * The guard's address: one per user, cache and name. On Linux it is an abstract socket, which the kernel frees with the process, so two guards of one
 * name cannot both live and none leaves a file behind. Elsewhere it is a short path under the temporary folder.
 */
export function guardAddress(name: string): string {
  const id = createHash('sha256')
    .update(`${process.getuid?.() ?? ''} ${cacheFolder} ${name}`)
    .digest('hex')
    .slice(0, 24)
  return process.platform === 'linux' ? `\0ballast-backend-${id}` : join(tmpdir(), `ballast-${id}.sock`)
}

/** Calls back for each complete line; a connection that breaks is just over. */
export function eachLine(socket: Socket, receive: (line: string) => void): void {
  let rest = ''
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) receive(line)
  })
}
