export interface Answer {
  readonly status: number
  /** Status line and headers, as they came. */
  readonly head: string
  readonly body: Buffer
  /** The server closes the connection after this answer. */
  readonly last: boolean
}

const headEnd = Buffer.from('\r\n\r\n')

/**
 * Reads HTTP/1.1 answers with a Content-Length off a stream; that is all that a load generator needs, and the reason
 * why it costs a fraction of a full client. Anything else (chunked, upgrade) is an error, never a wrong count.
 */
export class ResponseReader {
  #pending: Buffer = Buffer.alloc(0)

  /** The next complete answer, if it has arrived. */
  push(chunk: Buffer): Answer | undefined {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const end = this.#pending.indexOf(headEnd)
    if (end === -1) return undefined
    const head = this.#pending.toString('latin1', 0, end)
    const status = Number(head.slice(9, 12))
    const length = status === 204 || status === 304 ? '0' : /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (!head.startsWith('HTTP/1.1 ') || length === undefined) {
      throw new Error(`not an answer with a Content-Length: ${head.split('\r\n', 1)[0]}`)
    }
    const start = end + headEnd.length
    const total = start + Number(length)
    if (this.#pending.length < total) return undefined
    if (this.#pending.length > total) throw new Error('the server sent more than one answer to one request')
    const body = this.#pending.subarray(start, total)
    this.#pending = Buffer.alloc(0)
    return { status, head, body, last: /\r\nconnection: *close/i.test(head) }
  }
}
