import { createMetrics } from '@ballast/metrics'
import { openToAll } from '../auth/principal.ts'
import { Health } from '../health.ts'
import { silentLog } from '../log.ts'
import { noTracer } from '../tracing/tracer.ts'
import { defaultLimits, type ServerOptions } from './server-options.ts'

/** What `buildServer` needs, without a process: silent, open to all, started. For tests of `build()` with `app.inject`. */
export function testServer(name: string, overrides: Partial<ServerOptions> = {}): ServerOptions {
  const health = new Health()
  health.started = true
  return {
    name,
    version: '0.0.0',
    log: silentLog(name),
    metrics: createMetrics({ service: name, processMetrics: false }),
    health,
    tracer: noTracer,
    authenticator: openToAll,
    limits: defaultLimits,
    serveMetrics: true,
    stopping: new AbortController().signal,
    ...overrides,
  }
}
