import {
  createServer as createPlain,
  type RequestListener,
  type Server,
  type ServerOptions as NodeOptions,
} from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { Limits } from './server-options.ts'
import type { TlsMaterial } from '../tls.ts'

/** A Node server whose every wait is bounded. Node alone waits 60 s for headers and looks every 30 s. */
export function createHttpServer(limits: Limits, tls: TlsMaterial | undefined, handler: RequestListener): Server {
  const options: NodeOptions = {
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
  }
  const server: Server =
    tls === undefined
      ? createPlain(options, handler)
      : createSecure(
          {
            ...options,
            ...tls,
            requestCert: tls.ca !== undefined,
            rejectUnauthorized: tls.ca !== undefined,
            minVersion: 'TLSv1.2',
          },
          handler,
        )
  server.setTimeout(limits.idleTimeoutMs)
  server.maxRequestsPerSocket = 0
  return server
}
