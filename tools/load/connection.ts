import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Answer, ResponseReader } from './response-reader.ts'

export interface ConnectionOptions {
  readonly url: URL
  readonly ca?: string | undefined
  /** The next request and when it is due (`performance.now()`); undefined ends the connection. */
  readonly next: () => { readonly bytes: string; readonly dueMs: number } | undefined
  readonly onAnswer: (answer: Answer, latencyMs: number) => void
  readonly onBroken: (reason: string) => void
}

/** One client: sends, reads, sends again; connects anew when the server hangs up. Resolves when `next` has no more. */
export async function runConnection(options: ConnectionOptions): Promise<void> {
  for (let more = true; more;) {
    more = await oneSocket(options)
  }
}

/** Resolves with true when another socket has to go on. */
function oneSocket({ url, ca, next, onAnswer, onBroken }: ConnectionOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const reader = new ResponseReader()
  const socket = open(url, ca)
  let sentMs = 0
  let waiting = false
  let reason = 'closed'
  const send = (): void => {
    const request = next()
    if (request === undefined) {
      resolve(false)
      socket.destroy()
      return
    }
    waiting = true
    const nowMs = performance.now()
    sentMs = request.dueMs
    if (sentMs <= nowMs) socket.write(request.bytes)
    else setTimeout(() => socket.write(request.bytes), sentMs - nowMs)
  }
  socket.on(url.protocol === 'https:' ? 'secureConnect' : 'connect', send)
  socket.on('data', (chunk: Buffer) => {
    try {
      const answer = reader.push(chunk)
      if (answer === undefined) return
      waiting = false
      onAnswer(answer, performance.now() - sentMs)
      if (answer.last) socket.end()
      else send()
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', (error) => {
    reason = 'code' in error && typeof error.code === 'string' ? error.code : error.message
    // A server that refuses connections must not be hammered.
    if (!waiting && sentMs === 0) waiting = true
  })
  socket.on('close', () => {
    if (waiting) onBroken(reason)
    setTimeout(resolve, waiting ? 50 : 0, true)
  })
  return promise
}

function open(url: URL, ca: string | undefined): Socket {
  const target = { host: url.hostname, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) }
  const socket = url.protocol === 'https:' ? connectTls({ ...target, ca }) : connectPlain(target)
  return socket.setNoDelay(true)
}
