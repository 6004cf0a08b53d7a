import type { Socket } from 'node:net'
import { httpServerMetrics, type Metrics } from '@ballast/metrics'
import type { FastifyReply, FastifyRequest, onRequestHookHandler, onSendHookHandler } from 'fastify'
import type { Tracer } from '../tracing/tracer.ts'
import { traceparentOf } from '../tracing/trace-context.ts'
import type { Health } from '../health.ts'
import { OpenRequests } from './open-requests.ts'
import { traceOf } from './traced-message.ts'

export interface ObserverOptions {
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly health: Health
}

/** Follows every request from its first hook to the close of its answer: ids, duration, spans, what is still open. */
export class RequestObserver {
  readonly http
  readonly #open = new OpenRequests()
  readonly #tracer: Tracer
  readonly #health: Health

  constructor({ metrics, tracer, health }: ObserverOptions) {
    this.http = httpServerMetrics(metrics, () => this.#open.size)
    this.#tracer = tracer
    this.#health = health
  }

  /** `METHOD url` of requests without a finished answer; for the log line about what hung. */
  get open(): readonly string[] {
    return [...this.#open].map(({ method, url }) => `${method} ${url}`)
  }

  /** Connections whose request has arrived whole and is being answered. */
  get received(): ReadonlySet<Socket> {
    return new Set([...this.#open].filter(({ raw }) => raw.complete).map(({ raw }) => raw.socket))
  }

  readonly onRequest: onRequestHookHandler = (request, reply, done) => {
    const startedMs = performance.now()
    const place = this.#open.enter(request)
    // Not on the raw response: with the first header there Node leaves its fast way of writing a head. `takeOver` brings
    // them there.
    void reply.header('x-request-id', request.id).header('traceparent', traceparentOf(traceOf(request.raw)))
    // Not Fastify's onResponse: it stays silent when the client goes away first, and the gauge would only rise.
    reply.raw.once('close', () => this.#finish(place, request, reply, startedMs))
    done()
  }

  /** A kept-alive connection is told to go elsewhere with the next answer, from the moment the process is to stop. */
  readonly onSend: onSendHookHandler = (_request, reply, _payload, done) => {
    if (this.#health.draining !== undefined) reply.raw.setHeader('connection', 'close')
    done()
  }

  #finish(place: number, request: FastifyRequest, reply: FastifyReply, startedMs: number): void {
    this.#open.leave(place)
    const durationMs = performance.now() - startedMs
    const { method } = request
    const route = request.routeOptions.url ?? 'unknown'
    // 499, as nginx has it: the client left before the answer was complete.
    const status = reply.raw.writableEnded ? reply.raw.statusCode : 499
    const labels = { method, route, status }
    const value = durationMs / 1_000
    const trace = traceOf(request.raw)
    if (trace.sampled) {
      this.http.duration.observe({ labels, value, exemplarLabels: { trace_id: trace.traceId } })
      const endMs = Date.now()
      this.#tracer.record({
        name: `${method} ${route}`,
        kind: 'server',
        trace,
        startMs: endMs - durationMs,
        endMs,
        attributes: {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': status,
          'url.path': request.url.split('?', 1)[0] ?? '',
        },
        failed: status >= 500,
      })
    } else {
      this.http.duration.observe({ labels, value })
    }
    if (request.log.level === 'debug' || request.log.level === 'trace') {
      request.log.debug({ method, url: request.url, status, durationMs }, 'answered')
    }
  }
}
