import { connect, type Socket } from 'node:net'
import { type Answer, ResponseReader } from '../load/response-reader.ts'

/**
 * One kept-alive HTTP/1.1 connection, one request at a time. It takes a fraction of what node:http's client does, so
 * that on a small machine the servers are measured and not the client. An answer that ends the connection is an error.
 */
export class KeepAliveClient implements Disposable {
  readonly #socket: Socket
  readonly #host: string
  readonly #reader = new ResponseReader()
  #waiting: PromiseWithResolvers<Answer> | undefined

  /** `url` is an origin, http. */
  constructor(url: string) {
    const { hostname, host, port } = new URL(url)
    this.#host = host
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.on('data', (piece: Buffer) => this.#read(piece))
    this.#socket.on('error', (error) => this.#waiting?.reject(error))
    this.#socket.on('close', () => this.#waiting?.reject(new Error(`${url} closed the connection`)))
  }

  /** `path` with its query; resolves with any answer, whatever its status. */
  ask(method: string, path: string, body: Buffer = Buffer.alloc(0)): Promise<Answer> {
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${body.length}\r\n\r\n`
    const waiting = Promise.withResolvers<Answer>()
    this.#waiting = waiting
    this.#socket.write(Buffer.concat([Buffer.from(head), body]))
    return waiting.promise
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #read(piece: Buffer): void {
    try {
      const answer = this.#reader.push(piece)
      if (answer?.last === true) this.#waiting?.reject(new Error(`the server ends the connection: ${answer.head}`))
      else if (answer !== undefined) this.#waiting?.resolve(answer)
    } catch (error) {
      this.#waiting?.reject(error)
    }
  }
}
