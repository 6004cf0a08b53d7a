import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { type Routes, serviceProblems } from '@ballast/service'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServiceDefinition } from '../../platform/service.ts'

export interface ForwardOptions {
  readonly services: readonly ServiceDefinition[]
  /** Undefined while it does not listen. */
  readonly url: (service: string) => string | undefined
}

const timeoutMs = 30_000
/** GETs that change something, because a public contract wants it so. */
const changingGets: Readonly<Record<string, readonly string[]>> = { 'load-tolerant-api': ['/api/data'] }

/**
 * `/<service>/...` to the service, so that the page talks to one origin. Reading is for all who reach this address; whatever
 * changes something needs the token, and with it a header that no other site's page can have sent for its reader.
 */
export const forwardRoutes: Routes<ForwardOptions> = async (app, { services, url }) => {
  // Bodies pass through as they come.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => done(null, body))
  for (const { name } of services) {
    const handler = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
      forward(name, url, request, reply)
    for (const path of changingGets[name] ?? []) {
      app.get(`/${name}${path}`, { config: { role: 'admin' }, schema: { hide: true }, exposeHeadRoute: false, handler })
    }
    app.route({ method: 'GET', url: `/${name}/*`, config: { role: 'reader' }, schema: { hide: true }, handler })
    app.route({
      method: ['POST', 'PUT', 'PATCH', 'DELETE'],
      url: `/${name}/*`,
      config: { role: 'admin' },
      schema: { hide: true },
      handler,
    })
  }
}

const passedOn = ['content-type', 'content-length', 'accept', 'idempotency-key', 'prefer', 'if-match', 'if-none-match']
const passedBack = [
  'content-type',
  'content-length',
  'etag',
  'location',
  'retry-after',
  'idempotency-replayed',
  'durability',
]

async function forward(
  service: string,
  url: ForwardOptions['url'],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const base = url(service)
  if (base === undefined) throw unreachable(service, 'it does not listen')
  const headers = Object.fromEntries(passedOn.flatMap((name) => pair(name, request.headers[name])))
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>()
  const upstream = httpRequest(`${base}${request.url.slice(service.length + 1)}`, {
    method: request.method,
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  })
  upstream.once('response', resolve)
  upstream.once('error', reject)
  if (request.body instanceof Readable) request.body.pipe(upstream)
  else upstream.end()
  const answer = await promise.catch((error: unknown) => {
    throw unreachable(service, error instanceof Error ? error.message : String(error))
  })
  for (const name of passedBack)
    for (const [, value] of pair(name, answer.headers[name])) void reply.header(name, value)
  return reply
    .code(answer.statusCode ?? 502)
    .header('cache-control', 'no-store')
    .send(answer)
}

const pair = (name: string, value: string | readonly string[] | undefined): [string, string][] =>
  typeof value === 'string' ? [[name, value]] : []

const unreachable = (service: string, why: string) =>
  serviceProblems.create('handler-timeout', `${service} does not answer (${why}); try again when it is back.`)
