import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

export interface Probe {
  /** 0 when there was no answer. */
  readonly status: number
  readonly body: string
}

/** GET with a time-out; never throws. `ca` (PEM) is trusted for https. */
export function probe(
  url: string,
  { timeoutMs = 2_000, ca }: { timeoutMs?: number; ca?: string | undefined } = {},
): Promise<Probe> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, body: error.message })
    const request = url.startsWith('https:')
      ? httpsRequest(url, { ca, agent: false, signal: AbortSignal.timeout(timeoutMs) })
      : httpRequest(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) })
    request.on('error', failed)
    request.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        if (body.length < 4096) body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', failed)
    })
    request.end()
  })
}
