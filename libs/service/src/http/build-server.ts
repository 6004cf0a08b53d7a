import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify, LogController } from 'fastify'
import { authorize, principalOf } from '../auth/authorize.ts'
import type { ProblemTable } from '../problems.ts'
import { isRole, roles } from '../roles.ts'
import { errorHandler, sendProblem, type AnswerProblem } from './answer-errors.ts'
import type { App } from './app.ts'
import { answerClientError, refuseExpectation } from './client-error.ts'
import { Connections } from './connections.ts'
import { createHttpServer } from './create-http-server.ts'
import { addHealthRoutes, type HealthRoutes } from './health-routes.ts'
import { refuseSecondHost } from './host-header.ts'
import { limitRate, rateLimitProblems } from './limit-rate.ts'
import { RequestObserver } from './observe-requests.ts'
import { documentRoutes, type OpenApiInfo } from './openapi.ts'
import { giveLog } from './request-log.ts'
import type { ServerOptions } from './server-options.ts'
import { admit, traceOf } from './traced-message.ts'
import { UnknownRoutes } from './unknown-routes.ts'
import { createValidatorCompiler } from './validation.ts'

export interface BuildOptions extends ServerOptions {
  /** The app's own error table; listed in its OpenAPI document. */
  readonly problems?: ProblemTable
  /** The service can be told to limit the rate of each client; its OpenAPI document then has the problem. */
  readonly limitsRate?: boolean
  /** With it there is `app.swagger()` and `/openapi.json`. */
  readonly openapi?: OpenApiInfo
  /**
   * How problems are answered on every route, the unknown ones included; default `sendProblem`. For a fixed public
   * contract with another body. For some routes only: `setErrorHandler` in an encapsulated plugin, or `errorHandler`
   * on a route; what such a handler throws comes here.
   */
  readonly answerProblem?: AnswerProblem
  /** Health routes that the app answers itself, or does not want. */
  readonly healthRoutes?: HealthRoutes
}

/**
 * A Fastify server that holds under hostile clients: every wait and size is bounded, every error is problem+json,
 * every route names its role, and a GET route that may answer HEAD says `exposeHeadRoute: true`. Health, /metrics, traces and the OpenAPI document are there. It does not listen.
 */
export async function buildServer(options: BuildOptions): Promise<App> {
  const { limits, tls, tracer, health, metrics, authenticator, answerProblem = sendProblem } = options
  const observer = new RequestObserver({ metrics, tracer, health })
  const unknown = new UnknownRoutes(limits.maxParamLengthBytes)
  const onError = errorHandler(answerProblem)
  const { rateLimit: limit } = options
  const limiting = limit === undefined ? [] : [limitRate({ limit, authenticator, metrics })]
  const sampleNew = () => tracer.sample()
  const app: App = fastify({
    serverFactory: (handler) => createHttpServer(limits, tls, handler),
    // It would write a line of ten kilobytes for each answer of a route that has an onResponse hook.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (raw) => admit(raw, sampleNew),
    bodyLimit: limits.bodyLimitBytes,
    // Fastify would carry out every GET for a HEAD, effects included.
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: limits.maxParamLengthBytes },
    // While draining, requests that still arrive are answered, with `Connection: close`.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, observer.http),
    frameworkErrors: (error, request, reply) => {
      giveLog(options.log, request, reply)
      onError(error, request, reply)
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  // Not by its option: with that Fastify listens to each answer, and looks at each request's logger, for lines of its own.
  app.log = options.log

  const connections = new Connections(app.server)
  app.server.on('checkExpectation', refuseExpectation)
  app.setValidatorCompiler(createValidatorCompiler())
  app.setErrorHandler(onError)
  app.setNotFoundHandler((request, reply) => onError(unknown.problemFor(request), request, reply))
  app.decorate('openRequests', () => observer.open)
  app.decorate('cutUnreceived', () => connections.cutAllBut(observer.received))
  app.decorateRequest('principal', {
    getter() {
      return principalOf(this)
    },
  })
  app.decorateRequest('trace', {
    getter() {
      return traceOf(this.raw)
    },
  })
  app.addHook('onRequest', (request, reply, done) => {
    giveLog(options.log, request, reply)
    done()
  })
  app.addHook('onRequest', observer.onRequest)
  app.addHook('onRequest', refuseSecondHost)
  app.addHook('onSend', observer.onSend)
  app.addHook('onRoute', (route) => {
    const role: unknown = route.config?.role
    if (!isRole(role)) {
      throw new TypeError(`${String(route.method)} ${route.url}: config.role must be one of ${roles.join(', ')}`)
    }
    unknown.add([route.method].flat(), route.url)
    if (role === 'public') return
    const authorizing = authenticator.scheme === 'none' ? [] : [authorize(authenticator, role)]
    const unlimited = route.config?.unlimited === true
    route.onRequest = [...authorizing, ...(unlimited ? [] : limiting), ...[route.onRequest ?? []].flat()]
  })

  if (options.openapi !== undefined) {
    const tables = [options.limitsRate ? rateLimitProblems.types : {}, options.problems?.types ?? {}]
    await documentRoutes(app, {
      info: options.openapi,
      version: options.version,
      problems: Object.assign({}, ...tables),
    })
  }
  addHealthRoutes(app, health, options.healthRoutes)
  if (options.serveMetrics) {
    app.get(
      '/metrics',
      { config: { role: 'reader', unlimited: true }, schema: { hide: true }, exposeHeadRoute: true },
      async (request, reply) => {
        const { contentType, body } = await metrics.exposition(request.headers.accept)
        return reply.type(contentType).send(body)
      },
    )
  }
  return app
}
