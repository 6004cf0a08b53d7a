import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { Role } from '../roles.ts'
import type { TraceContext } from '../tracing/trace-context.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call this route. Every route names one. */
    role?: Role
    /** Not counted by the limit per client. */
    unlimited?: boolean
  }
  interface FastifyRequest {
    /** Who calls; with --auth none, and on public routes, `anonymous`. */
    readonly principal: Principal
    /** Where this request stands in a distributed trace. */
    readonly trace: TraceContext
  }
  interface FastifyInstance {
    /** `METHOD url` of requests whose answer is not finished. */
    readonly openRequests: () => readonly string[]
    /** Cuts every connection that has no request which has arrived whole; returns how many. */
    readonly cutUnreceived: () => number
  }
}

/** A server with the TypeBox type provider set: schemas give handlers their types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
