import { Agent, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

export interface Call {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Reply {
  readonly status: number
  readonly body: string
}

export interface HttpClientOptions {
  readonly connections?: number
  /** PEM to trust. */
  readonly ca?: string
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Requests to one origin over kept-alive connections. Rejects when the connection breaks before the answer is whole. */
export class HttpClient implements Disposable {
  readonly #origin: string
  readonly #agent: Agent
  readonly #headers: Readonly<Record<string, string>>
  readonly #request: typeof plainRequest

  constructor(origin: string, { connections = 64, ca, headers = {} }: HttpClientOptions = {}) {
    const tls = origin.startsWith('https:')
    this.#headers = headers
    this.#origin = origin
    this.#request = tls ? tlsRequest : plainRequest
    const options = { keepAlive: true, maxSockets: connections }
    this.#agent = tls ? new TlsAgent({ ...options, ca }) : new Agent(options)
  }

  call({ method, path, headers = {}, body }: Call, timeoutMs = 10_000): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    // Node frames the body of a DELETE only when it is told how long that is.
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = this.#request(
      new URL(path, this.#origin),
      {
        method,
        headers: { ...this.#headers, ...length, ...headers },
        agent: this.#agent,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
    return promise
  }

  /** GET of a JSON document; anything but 2xx rejects. */
  async json(path: string): Promise<unknown> {
    const { status, body } = await this.call({ method: 'GET', path })
    if (status < 200 || status > 299) throw new Error(`GET ${path} answered ${status}: ${body.slice(0, 300)}`)
    return JSON.parse(body)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
