import type { RateLimit } from '../http/rate-limiter.ts'
import { bytes, durationMs, integer } from './number-options.ts'
import type { ValuesOf } from './option.ts'
import { choice, text } from './text-options.ts'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** What a one-shot command needs: how it logs. */
export function taskOptions() {
  return {
    logLevel: choice(logLevels, { default: 'info', help: 'debug adds a line per request and stack traces' }),
    logFormat: choice(['json', 'pretty'], { help: 'default: pretty on a terminal, JSON lines elsewhere' }),
  }
}

/** What every long-running command takes, beside its own options. */
export function serviceOptions({ listen }: { readonly listen: string }) {
  return {
    listen: text({ default: listen, help: 'host:port; port 0 takes a free one' }),
    tlsCert: text({ help: 'PEM file with the certificate chain; turns TLS on; re-read when it changes and on SIGHUP' }),
    tlsKey: text({ help: 'PEM file with the private key of --tls-cert' }),
    tlsClientCa: text({ help: 'PEM file with the CA of client certificates; clients must then show one' }),
    metricsListen: text({ help: 'host:port of a second listener for /metrics and health; default: the same port' }),
    auth: choice(['none', 'tokens', 'mtls'], {
      help: 'who may call; must be chosen to listen beyond loopback, where the default is none',
    }),
    authTokens: text({ help: 'with --auth tokens: file of role:name:sha256-of-token lines' }),
    authSubjects: text({ help: 'with --auth mtls: file of role:CN=name or role:OU=unit lines' }),
    ...taskOptions(),
    drainDelayMs: durationMs({
      default: 0,
      help: 'after SIGTERM: time during which /readyz says 503 and requests are still taken; 3s or more in a cluster',
    }),
    graceMs: durationMs({
      default: 25_000,
      min: 100,
      help: 'after SIGTERM: the process is gone after this at the latest',
    }),
    requestTimeoutMs: durationMs({ default: 30_000, min: 100, help: 'a request must have arrived whole within this' }),
    bodyLimitBytes: bytes({ default: 1_048_576, min: 1, help: 'biggest request body; more is 413' }),
    otlpEndpoint: text({
      env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
      help: 'send OpenTelemetry traces there (OTLP over HTTP)',
    }),
    traceSamplePercent: integer({
      default: 100,
      max: 100,
      help: 'with --otlp-endpoint: of the traces that begin here, record this many in a hundred; callers decide for theirs',
    }),
  }
}

/** For a service whose `buildServer` is given `limitsRate`. */
export function rateLimitOptions() {
  return {
    rateLimitPerSecond: integer({
      default: 0,
      help: 'requests that one client may send in a second in the long run, in each process; more get 429; 0: no limit',
    }),
    rateLimitBurst: integer({
      default: 50,
      min: 1,
      help: 'with --rate-limit-per-second: requests it may send at once',
    }),
  }
}

/** Of the values of any command. */
export function rateLimitOf(values: Readonly<Record<string, unknown>>): RateLimit | undefined {
  const { rateLimitPerSecond: perSecond, rateLimitBurst: burst } = values
  if (typeof perSecond !== 'number' || perSecond === 0 || typeof burst !== 'number') return undefined
  return { perSecond, burst }
}

/** For a service that `startWorkers`. */
export function workerOptions() {
  return {
    workers: integer({
      default: 1,
      min: 1,
      max: 64,
      env: ['WORKERS'],
      help: 'processes that serve HTTP; with more than 1, one further process owns the store',
    }),
  }
}

export type ServiceSettings = ValuesOf<ReturnType<typeof serviceOptions>>

/** The common settings among the values of any command; defaults for the ones it does not have. */
export function settingsOf(values: Readonly<Record<string, unknown>>): ServiceSettings {
  const options = Object.entries(serviceOptions({ listen: '127.0.0.1:0' }))
  const settings = options.map(([name, option]) => [name, name in values ? values[name] : option.default])
  // Same names as `serviceOptions`; a command that takes them spreads `serviceOptions`, so the kinds agree.
  return Object.fromEntries(settings) as ServiceSettings
}
