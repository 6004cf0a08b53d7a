import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Metrics } from '@ballast/metrics'
import type { Health, Probe } from '../health.ts'
import { createHttpServer } from '../http/create-http-server.ts'
import { asText } from '../http/health-routes.ts'
import { defaultLimits } from '../http/server-options.ts'
import { bind } from './bind.ts'
import { parseListenAddress } from './listen-address.ts'

const probes: Readonly<Record<string, Probe>> = {
  '/livez': 'livez',
  '/healthz': 'livez',
  '/readyz': 'readyz',
  '/startupz': 'startupz',
}

/** A second, plain listener for scrapers and probes, up from before the start until the very end. */
export async function listenForMetrics(text: string, flag: string, metrics: Metrics, health: Health): Promise<Server> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const probe = probes[path]
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, 'text/plain; charset=utf-8', 'only GET\n')
    } else if (path === '/metrics') {
      const { contentType, body } = await metrics.exposition(request.headers.accept)
      send(response, 200, contentType, body)
    } else if (probe === undefined) {
      send(response, 404, 'text/plain; charset=utf-8', 'only /metrics, /livez, /readyz and /startupz\n')
    } else {
      const result = await health.probe(probe)
      const body = asText(probe, result, query.startsWith('verbose'))
      send(response, result.ok ? 200 : 503, 'text/plain; charset=utf-8', body)
    }
  }
  const server = createHttpServer(defaultLimits, undefined, (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await bind(server, parseListenAddress(text, flag), flag)
  return server
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).end(body)
}
