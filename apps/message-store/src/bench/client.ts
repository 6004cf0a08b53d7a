import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** One keep-alive connection, so one TLS session; one request at a time. */
export class Client implements Disposable {
  readonly #base: URL
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof httpRequest

  constructor(url: string, ca: string | undefined) {
    this.#base = new URL(url)
    const secure = this.#base.protocol === 'https:'
    const options = { keepAlive: true, maxSockets: 1 }
    this.#agent = secure ? new HttpsAgent({ ...options, ...(ca === undefined ? {} : { ca }) }) : new HttpAgent(options)
    this.#request = secure ? httpsRequest : httpRequest
  }

  ask(method: string, path: string, json?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers =
        json === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }
      const request = this.#request(new URL(path, this.#base), { method, headers, agent: this.#agent }, (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (piece: string) => (body += piece))
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }))
        answer.once('error', reject)
      })
      request.once('error', reject)
      request.end(json)
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
