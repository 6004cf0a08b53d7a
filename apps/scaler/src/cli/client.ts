import { readFile } from 'node:fs/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

export interface ClientOptions {
  readonly url: string
  readonly token: string | undefined
  /** PEM files. */
  readonly serverCa: string | undefined
  readonly clientCert: string | undefined
  readonly clientKey: string | undefined
  readonly timeoutMs: number
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** A control plane's API; `T` is what its OpenAPI document says of the route. */
export type Ask = <T>(method: Method, path: string, body?: object) => Promise<T>

/**
 * Calls a control plane: a bearer token, a client certificate, both or neither. Node's own `fetch` cannot be told of an authority.
 * Nothing is sent again.
 * @throws Error one sentence: what the control plane answered, or that it cannot be reached and what to do.
 */
export function connectTo(options: ClientOptions): Ask {
  const { url, token, timeoutMs } = options
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new Error('--url (SCALER_URL) must be the http:// or https:// URL of a control plane')
  }
  const server = new URL(url)
  return async <T>(method: Method, path: string, body?: object): Promise<T> => {
    const [ca, cert, key] = await Promise.all([options.serverCa, options.clientCert, options.clientKey].map(read))
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const request = server.protocol === 'https:' ? requestHttps : requestHttp
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const sent = request(new URL(path, server), {
      method,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      },
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    sent.end(payload)
    const { status, text } = await promise.catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message || cause.name : String(cause)
      throw new Error(
        `the control plane at ${server.origin} cannot be reached (${why}): start one, or give its --url`,
        {
          cause,
        },
      )
    })
    const answer = parse(text)
    if (status >= 200 && status < 300 && answer !== undefined) return answer as T
    throw new Error(
      `${sentenceOf(answer) ?? `the answer was not that of a control plane: ${server.origin}`} (${status})`,
    )
  }
}

async function read(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : readFile(path)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sentenceOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('detail' in answer)) return undefined
  return typeof answer.detail === 'string' ? answer.detail.replace(/\.$/, '') : undefined
}
