import type { Socket } from 'node:net'
import type { App } from '@ballast/service'
import type { FastifyReply, FastifyRequest } from 'fastify'

interface Connection {
  /** Requests that wait until the answers to those before them are complete. */
  pending: number
  /** What to call when the connection is gone, for the responses that have not had their turn. */
  readonly waiting: Set<() => void>
}

/** Requests that one connection may have under way; more than any client pipelines that also reads the answers. */
export const maxPipelined = 64

/**
 * Bounds what a client gets that pipelines requests (RFC 9112, 9.3.2) and does not read the answers. Node hands over
 * all requests that have arrived, but a response owns the connection only once those before it are complete.
 */
export class ResponseTurns {
  readonly #connections = new WeakMap<Socket, Connection>()

  /** Counts the requests of each connection; one that has more than `maxPipelined` under way is cut off. */
  watch(app: App): void {
    app.addHook('onRequest', (request, { raw }, done) => {
      // Nearly all have their turn at once.
      if (raw.socket === null) {
        const { socket } = request.raw
        const connection = this.#connectionOf(socket)
        connection.pending++
        raw.once('socket', () => connection.pending--)
        // One more is being answered.
        if (connection.pending >= maxPipelined) socket.destroy()
      }
      done()
    })
  }

  /** Whether the response is the next one to be sent. */
  hasTurn(request: FastifyRequest, { raw }: FastifyReply): boolean {
    return raw.socket !== null && !request.raw.socket.destroyed
  }

  /** Resolves when the response is the next one to be sent; false when the client went away before. */
  async turnOf(request: FastifyRequest, { raw }: FastifyReply): Promise<boolean> {
    const { socket } = request.raw
    if (socket.destroyed) return false
    if (raw.socket !== null) return true
    const { waiting } = this.#connectionOf(socket)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const gone = (): void => {
      resolve(false)
      // Node tells only the response that has its turn; without this the request would count as under way for ever.
      raw.emit('close')
    }
    waiting.add(gone)
    raw.once('socket', () => {
      waiting.delete(gone)
      resolve(true)
    })
    return promise
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { pending: 0, waiting: new Set() }
    this.#connections.set(socket, connection)
    socket.once('close', () => {
      for (const gone of connection.waiting) gone()
      connection.waiting.clear()
    })
    return connection
  }
}
