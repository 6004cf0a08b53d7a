import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics } from '@ballast/metrics'
import { createAuthenticator } from '../auth/create-authenticator.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ServiceSettings } from '../config/service-options.ts'
import { Health } from '../health.ts'
import { defaultLimits } from '../http/server-options.ts'
import { createLog } from '../log.ts'
import { loadTls } from '../tls.ts'
import { noTracer, type Tracer } from '../tracing/tracer.ts'
import { Closers } from './closers.ts'
import type { CommandKind, PreparedCommand } from './command.ts'
import { Listener } from './listener.ts'
import { listenForMetrics } from './metrics-listener.ts'
import { Reloads } from './reloads.ts'
import { sentence } from './sentence.ts'
import type { Service } from './service.ts'
import { Stopping } from './stopping.ts'

export interface Run {
  readonly name: string
  readonly version: string
  readonly kind: CommandKind
  readonly prefix: string
  readonly operands: readonly string[]
  readonly prepared: PreparedCommand
}

/** One life of a process: start, run, drain, close, exit. Does not return. */
export async function runCommand(run: Run): Promise<never> {
  const { name, kind, prefix, prepared } = run
  const { settings } = prepared
  const log = await createLog({ name, fd: kind === 'task' ? 2 : 1, ...settings })
  const health = new Health()
  const closers = new Closers()
  const listener = new Listener({ settings, prefix, log, health })
  const pending = (): object => ({ closing: closers.current, openRequests: listener.openRequests })
  const stopping = new Stopping({ log, health, graceMs: settings.graceMs, pending })
  const reloads = new Reloads(log)
  stopping.listen()
  process.on('SIGHUP', () => void reloads.all())
  let exitCode = 0
  try {
    const service = await createService(run, { log, health, closers, listener, stopping, reloads })
    const code = await prepared.run(service)
    exitCode = code ?? 0
    if (kind === 'service') {
      await stopping.told
      if (listener.listening) await delay(settings.drainDelayMs)
    }
  } catch (error) {
    // Being told to stop while starting makes starts fail; that is no failure.
    if (!stopping.signal.aborted) exitCode = failed(error)
  }
  await listener.close()
  const clean = await closers.closeAll((closer, error) => {
    log.error({ err: error, closer }, `${closer} did not close: ${sentence(error)}`)
  })
  if (kind === 'service' && stopping.signal.aborted) log.info('stopped')
  process.exit(Math.max(exitCode, stopping.exitCode, clean ? 0 : 1))

  function failed(error: unknown): number {
    const what = kind === 'service' ? 'cannot start: ' : ''
    process.stderr.write(`${name}: ${what}${sentence(error)}\n`)
    log.debug({ err: error }, 'failed')
    return kind === 'service' || error instanceof ConfigError ? 2 : 1
  }
}

interface Parts {
  readonly log: Service<unknown>['log']
  readonly health: Health
  readonly closers: Closers
  readonly listener: Listener
  readonly stopping: Stopping
  readonly reloads: Reloads
}

async function createService(
  { name, version, prefix, operands, prepared }: Run,
  parts: Parts,
): Promise<Service<unknown>> {
  const { log, health, closers, listener, stopping, reloads } = parts
  const { settings, loaded } = prepared
  closers.add('file watches', () => reloads.close())
  const metrics = createMetrics({ service: name })
  const { metricsListen } = settings
  if (metricsListen !== undefined) {
    const flag = `--metrics-listen (${prefix}_METRICS_LISTEN)`
    const server = await listenForMetrics(metricsListen, flag, metrics, health)
    closers.add('metrics listener', () => server.close().closeAllConnections())
  }
  const tls = loadTls(settings)
  const tlsFiles = [settings.tlsCert, settings.tlsKey, settings.tlsClientCa].filter((path) => path !== undefined)
  reloads.watch('TLS certificate', tlsFiles, () => {
    const material = loadTls(settings)
    if (material !== undefined) listener.swapTls(material)
  })
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
      stopping: stoppingSignal,
    },
    onClose: (closer, close) => closers.add(closer, close),
    onReload: (what, reload) => reloads.add(what, reload),
    fail: (error) => stopping.fail(error),
    listen: (app) => listener.listen(app),
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
