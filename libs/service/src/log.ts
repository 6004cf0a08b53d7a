import { isatty } from 'node:tty'
import pino, { type Logger, type LoggerOptions } from 'pino'
import type { ServiceSettings } from './config/service-options.ts'
import { loggedError } from './logged-error.ts'

export interface LogOptions extends Pick<ServiceSettings, 'logLevel' | 'logFormat'> {
  readonly name: string
  /** File descriptor: 1 for services, 2 for tasks, whose result is on 1. */
  readonly fd: 1 | 2
}

/**
 * JSON lines, or pretty lines on a terminal. Written synchronously by this thread: what was logged before a crash is there,
 * and pino's worker-thread transports do not survive bundling.
 */
export async function createLog({ name, logLevel, logFormat, fd }: LogOptions): Promise<Logger> {
  const pretty = logFormat === 'pretty' || (logFormat === undefined && isatty(fd))
  const stream = pretty ? (await import('./log-pretty.ts')).prettyStream(fd) : pino.destination({ fd, sync: true })
  return pino(logOptions(name, logLevel), stream)
}

/** A line has at least `level`, `time` (ISO 8601), `name` and `msg`; members that look like credentials are blotted out. */
export function logOptions(name: string, level: string): LoggerOptions {
  const secrets = ['authorization', 'cookie', 'password', 'token', 'secret']
  return {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: loggedError },
    redact: { paths: secrets.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '***' },
  }
}

/** For tests: says nothing. */
export function silentLog(name: string): Logger {
  return pino({ name, level: 'silent' })
}
