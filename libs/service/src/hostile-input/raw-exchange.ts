import { connect } from 'node:net'
import { connect as connectSecure } from 'node:tls'

export interface Exchange {
  /** Status codes of the answers, in order. */
  readonly statuses: readonly number[]
  /** Whether the server closed the connection; false when time was up. */
  readonly closed: boolean
  readonly text: string
}

export interface ExchangeOptions {
  /** Close our side after the bytes. */
  readonly end?: boolean
  /** How long the server may take to answer or to close. */
  readonly timeoutMs?: number
}

/** After an answer: how long a second one, which nobody asked for, may take to show. */
const afterAnswerMs = 150

/** Writes bytes to a socket as they are, and watches what comes back. Never rejects for what the server does. */
export function rawExchange(url: string, bytes: string | Buffer, options: ExchangeOptions = {}): Promise<Exchange> {
  const { hostname, port, protocol } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  const target = { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port) }
  const socket = protocol === 'https:' ? connectSecure({ ...target, rejectUnauthorized: false }) : connect(target)
  let text = ''
  const finish = (closed: boolean): void => {
    clearTimeout(timer)
    socket.destroy()
    const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((match) => Number(match[1]))
    resolve({ statuses, closed, text })
  }
  let timer = setTimeout(() => finish(false), options.timeoutMs ?? 10_000)
  socket.on('data', (chunk) => {
    if (text === '') {
      clearTimeout(timer)
      timer = setTimeout(() => finish(false), afterAnswerMs)
    }
    text += chunk.toString('latin1')
  })
  socket.on('error', () => finish(true))
  socket.on('close', () => finish(true))
  socket.on('end', () => finish(true))
  socket.write(bytes)
  if (options.end ?? false) socket.end()
  return promise
}
