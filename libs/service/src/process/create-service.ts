import { createMetrics } from '@ballast/metrics'
import { createAuthenticator } from '../auth/create-authenticator.ts'
import { ConfigError } from '../config/config-error.ts'
import { rateLimitOf, type ServiceSettings } from '../config/service-options.ts'
import type { Health } from '../health.ts'
import { defaultLimits } from '../http/server-options.ts'
import { loadTls } from '../tls.ts'
import { noTracer, type Tracer } from '../tracing/tracer.ts'
import { WorkerPool } from '../workers/pool.ts'
import { joinPrimary } from '../workers/worker.ts'
import type { Closers } from './closers.ts'
import { showAddress } from './listen-address.ts'
import type { Listener } from './listener.ts'
import { listenForMetrics } from './metrics-listener.ts'
import type { Reloads } from './reloads.ts'
import type { Run } from './run-command.ts'
import type { Service } from './service.ts'
import type { Stopping } from './stopping.ts'

/** The parts of a process that are there before its command is. */
export interface Parts {
  readonly log: Service<unknown>['log']
  readonly health: Health
  readonly closers: Closers
  readonly listener: Listener
  readonly stopping: Stopping
  readonly reloads: Reloads
}

/** Opens what every service has (metrics listener, certificates, tokens, traces); each of them can fail the start. */
export async function createService(
  { name, version, prefix, operands, prepared }: Run,
  parts: Parts,
): Promise<Service<unknown>> {
  const { log, health, closers, listener, stopping, reloads } = parts
  const { settings, loaded } = prepared
  closers.add('file watches', () => reloads.close())
  const own = createMetrics({ service: name })
  const membership = joinPrimary(own, stopping)
  const metrics = membership?.metrics ?? own
  if (membership !== undefined) closers.add('metrics of this worker', () => membership.leave())
  const { metricsListen } = settings
  if (metricsListen !== undefined && membership === undefined) {
    const flag = `--metrics-listen (${prefix}_METRICS_LISTEN)`
    const server = await listenForMetrics(metricsListen, flag, metrics, health)
    closers.add('metrics listener', () => server.close().closeAllConnections())
  }
  const tls = loadTls(settings)
  if (tls !== undefined) {
    const files = [settings.tlsCert, settings.tlsKey, settings.tlsClientCa].filter((path) => path !== undefined)
    reloads.watch('TLS certificate', files, () => listener.swapTls(loadTls(settings) ?? tls))
  }
  const authenticator = createAuthenticator(settings, reloads)
  const tracer = await createTracer(name, version, settings, log)
  closers.add('traces', () => tracer.close())
  const { requestTimeoutMs, bodyLimitBytes } = settings
  const limits = { ...defaultLimits, requestTimeoutMs, bodyLimitBytes }
  const stoppingSignal = stopping.signal
  const serveMetrics = metricsListen === undefined
  return {
    config: loaded.values,
    operands,
    primary: membership?.primary,
    log,
    metrics,
    health,
    tracer,
    stopping: stoppingSignal,
    serverOptions: {
      name,
      version,
      log,
      metrics,
      health,
      tracer,
      authenticator,
      limits,
      tls,
      serveMetrics,
      rateLimit: rateLimitOf(loaded.values),
      stopping: stoppingSignal,
    },
    onClose: (closer, close) => closers.add(closer, close),
    onReload: (what, reload) => reloads.add(what, reload),
    fail: (error) => stopping.fail(error),
    listen: (app) => listener.listen(app),
    async startWorkers(options) {
      const address = await listener.reserve()
      const killAfterMs = settings.graceMs * 0.8
      const pool = new WorkerPool({
        ...options,
        service: name,
        log,
        metrics,
        listen: showAddress(address),
        killAfterMs,
      })
      stoppingSignal.addEventListener('abort', () => pool.stop())
      closers.add('workers', () => pool.close())
      await pool.start()
      listener.announce(address)
    },
  }
}

async function createTracer(
  service: string,
  version: string,
  settings: ServiceSettings,
  log: Parts['log'],
): Promise<Tracer> {
  const { otlpEndpoint: endpoint, traceSamplePercent: samplePercent } = settings
  if (endpoint === undefined) return noTracer
  if (!URL.canParse(endpoint))
    throw new ConfigError(`--otlp-endpoint must be a URL, as in http://collector:4318, not ${endpoint}`)
  const { createOtlpTracer } = await import('../tracing/otlp-tracer.ts')
  return createOtlpTracer({ endpoint, service, version, samplePercent, log })
}
