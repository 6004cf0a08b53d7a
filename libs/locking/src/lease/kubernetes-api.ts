import { readFile } from 'node:fs/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { join } from 'node:path'

/** How to reach the API server, and as whom. The folder is laid out as that of a service account in a pod. */
export interface KubernetesTarget {
  readonly server: URL
  readonly namespace: string
  readonly credentials: string
}

export interface KubernetesAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * One request over a connection of its own, TLS checked against `ca.crt` of the folder. The token is read each time:
 * the kubelet replaces it within the hour. Node's own `fetch` cannot be told of an authority, hence `node:https`.
 * Rejects when there is no answer within `timeoutMs`; nothing is sent again.
 */
export async function askKubernetes(
  { server, credentials }: KubernetesTarget,
  method: string,
  path: string,
  timeoutMs: number,
  body?: unknown,
): Promise<KubernetesAnswer> {
  const secure = server.protocol === 'https:'
  const [token, ca] = await Promise.all([
    readFile(join(credentials, 'token'), 'utf8'),
    secure ? readFile(join(credentials, 'ca.crt'), 'utf8') : '',
  ])
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    authorization: `Bearer ${token.trim()}`,
    accept: 'application/json',
    ...(payload !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
    }),
  }
  const options = {
    method,
    headers,
    agent: false,
    signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
  }
  const { promise, resolve, reject } = Promise.withResolvers<KubernetesAnswer>()
  const url = new URL(path, server)
  const request = secure ? requestHttps(url, { ...options, ca }) : requestHttp(url, options)
  request.on('error', reject)
  request.on('response', (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      try {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) })
      } catch {
        resolve({ status: response.statusCode ?? 0, body: text.slice(0, 200) })
      }
    })
  })
  request.end(payload)
  return promise
}
