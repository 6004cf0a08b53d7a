import {
  createServer as createPlain,
  type RequestListener,
  type Server,
  type ServerOptions as NodeOptions,
} from 'node:http'
import { createServer as createSecure, type ServerOptions as SecureOptions } from 'node:https'
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
  const server: Server = tls === undefined ? createPlain(options, handler) : createSecure(secure(options, tls), handler)
  server.setTimeout(limits.idleTimeoutMs)
  server.maxRequestsPerSocket = 0
  return server
}

function secure(options: NodeOptions, { withoutCertificate, ...material }: TlsMaterial): SecureOptions {
  const requestCert = material.ca !== undefined
  const rejectUnauthorized = requestCert && withoutCertificate === 'refuse'
  return { ...options, ...material, requestCert, rejectUnauthorized, minVersion: 'TLSv1.2' }
}
