import { request, type RequestOptions } from 'node:https'

export interface SecureAnswer {
  readonly status: number
  readonly body: string
  /** Common name of the server's certificate. */
  readonly server: string
}

/** GET over TLS on a connection of its own, with a client certificate if `options` hold one. */
export function secureGet(url: string, options: RequestOptions): Promise<SecureAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<SecureAnswer>()
  const sent = request(url, { ...options, agent: false }, (response) => {
    const { socket } = response
    const server = 'getPeerCertificate' in socket ? String(Object(socket).getPeerCertificate().subject.CN) : ''
    let body = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body, server }))
  })
  sent.on('error', reject).end()
  return promise
}
