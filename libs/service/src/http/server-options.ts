import type { Metrics } from '@ballast/metrics'
import type { FastifyBaseLogger } from 'fastify'
import type { Authenticator } from '../auth/principal.ts'
import type { Health } from '../health.ts'
import type { TlsMaterial } from '../tls.ts'
import type { RateLimit } from './rate-limiter.ts'
import type { Tracer } from '../tracing/tracer.ts'

/** Limits of one listener. The defaults are for a server that nothing shields. */
export interface Limits {
  /** A request must have arrived whole within this. */
  readonly requestTimeoutMs: number
  /** Its headers within this: what ends slow-header clients. */
  readonly headersTimeoutMs: number
  /** A socket on which nothing moves for this long is closed: what ends clients that do not read their answer. */
  readonly idleTimeoutMs: number
  /** An idle kept-alive connection; longer than the 60 s of common load balancers, so that they are the ones to close. */
  readonly keepAliveTimeoutMs: number
  readonly bodyLimitBytes: number
  readonly maxParamLengthBytes: number
}

export const defaultLimits: Limits = {
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 5_000,
  idleTimeoutMs: 120_000,
  keepAliveTimeoutMs: 72_000,
  bodyLimitBytes: 1_048_576,
  maxParamLengthBytes: 1_024,
}

/** What a server gets from its process; `testServer` makes one without a process. */
export interface ServerOptions {
  readonly name: string
  readonly version: string
  readonly log: FastifyBaseLogger
  readonly metrics: Metrics
  readonly health: Health
  readonly tracer: Tracer
  readonly authenticator: Authenticator
  readonly limits: Limits
  /** TLS is on when given; swapped by `server.setSecureContext` later. */
  readonly tls?: TlsMaterial | undefined
  /** Per client; none when missing. */
  readonly rateLimit?: RateLimit | undefined
  /** False when /metrics has a listener of its own. */
  readonly serveMetrics: boolean
  /** Aborted when the process has been told to stop; long answers (server-sent events) end on it. */
  readonly stopping: AbortSignal
}
