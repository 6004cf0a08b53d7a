import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { App } from '@ballast/service'
import type { FastifyReply } from 'fastify'

/** What is read of a body that was refused, so that its sender gets to see the answer. */
const politeBytes = 1 << 20
const politeMs = 1_000

/** Bodies of any type reach the handlers unread, and in pieces. What a refusal leaves unread ends the connection. */
export function takeRawBodies(app: App): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onSend', ({ raw, method }, reply, _payload, done) => {
    if (raw.complete || raw.destroyed || method === 'GET' || method === 'HEAD') return done()
    void endUnread(raw, reply, done)
  })
}

async function endUnread(body: Readable, reply: FastifyReply, done: () => void): Promise<void> {
  if (!(await drained(body))) void reply.header('connection', 'close')
  done()
}

/**
 * A connection that is closed while its client is still sending is reset, and the answer with it. So a little more is
 * read and dropped; without an end to that, a refused client could send for ever.
 */
async function drained(body: Readable): Promise<boolean> {
  let read = 0
  const enough = new AbortController()
  const drop = (piece: Buffer): void => {
    read += piece.length
    if (read > politeBytes) enough.abort()
  }
  body.on('data', drop)
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(politeMs)])
  try {
    await finished(body, { writable: false, signal, cleanup: true })
    return true
  } catch {
    return false
  } finally {
    body.off('data', drop)
  }
}
