import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server. Node enforces none of its time-outs on them any more once the server is closing. */
export class Connections {
  readonly #sockets = new Map<string, Socket>()

  constructor(server: Server) {
    server.on('connection', this.#add)
    // It takes the place of the plain socket below it, which stood for the connection during the handshake.
    server.on('secureConnection', this.#add)
  }

  /** Returns how many were cut. */
  cutAllBut(kept: ReadonlySet<Socket>): number {
    let cut = 0
    for (const socket of this.#sockets.values()) {
      if (socket.destroyed || kept.has(socket)) continue
      socket.destroy()
      cut += 1
    }
    return cut
  }

  readonly #add = (socket: Socket): void => {
    const peer = `${socket.remoteAddress} ${socket.remotePort}`
    this.#sockets.set(peer, socket)
    socket.once('close', () => {
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer)
    })
  }
}
