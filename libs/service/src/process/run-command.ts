import { setTimeout as delay } from 'node:timers/promises'
import { createMetrics } from '@ballast/metrics'
import { openToAll } from '../auth/principal.ts'
import { ConfigError } from '../config/config-error.ts'
import { Health } from '../health.ts'
import { defaultLimits } from '../http/server-options.ts'
import { createLog } from '../log.ts'
import { noTracer } from '../tracing/tracer.ts'
import { Closers } from './closers.ts'
import type { CommandKind, PreparedCommand } from './command.ts'
import { Listener } from './listener.ts'
import { sentence } from './sentence.ts'
import type { Service } from './service.ts'

export interface Run {
  readonly name: string
  readonly version: string
  readonly kind: CommandKind
  readonly prefix: string
  readonly operands: readonly string[]
  readonly prepared: PreparedCommand
}

const signals = { SIGTERM: 15, SIGINT: 2 } as const

/** One life of a process: start, run, drain, close, exit. Ends the process. */
export async function runCommand({ name, version, kind, prefix, operands, prepared }: Run): Promise<void> {
  const { settings } = prepared
  const log = await createLog({ name, fd: kind === 'task' ? 2 : 1, ...settings })
  const health = new Health()
  const closers = new Closers()
  const reloads = new Map<string, () => unknown>()
  const metrics = createMetrics({ service: name })
  const stop = new AbortController()
  const { promise: told, resolve: tell } = Promise.withResolvers<string>()
  const listener = new Listener({ settings, prefix, log, health })
  for (const [signal, number] of Object.entries(signals)) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + number)
      tell(signal)
    })
  }
  process.on('SIGHUP', () => void reload())
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error) => {
      log.fatal({ err: error }, `${event}: ${sentence(error)}`)
      process.exit(1)
    })
  }
  let exitCode = 0
  void told.then((reason) => {
    health.draining = `told to stop by ${reason}`
    log.info({ reason }, 'stopping')
    setTimeout(() => {
      const waitingFor = closers.current ?? 'requests'
      log.error({ waitingFor, openRequests: listener.openRequests }, `not stopped within ${settings.graceMs} ms`)
      process.exit(1)
    }, settings.graceMs).unref()
    stop.abort()
  })
  const service: Service<unknown> = {
    config: prepared.loaded.values,
    operands,
    log,
    metrics,
    health,
    stopping: stop.signal,
    serverOptions: {
      name,
      version,
      log,
      metrics,
      health,
      tracer: noTracer,
      authenticator: openToAll,
      limits: {
        ...defaultLimits,
        requestTimeoutMs: settings.requestTimeoutMs,
        bodyLimitBytes: settings.bodyLimitBytes,
      },
      serveMetrics: settings.metricsListen === undefined,
      stopping: stop.signal,
    },
    onClose: (closerName, close) => closers.add(closerName, close),
    onReload: (reloadName, run) => void reloads.set(reloadName, run),
    listen: (app) => listener.listen(app),
  }
  try {
    const code = await prepared.run(service)
    if (kind === 'task') exitCode = code ?? 0
    else {
      await told
      if (listener.listening) await delay(settings.drainDelayMs)
    }
    await listener.close()
  } catch (error) {
    if (!stop.signal.aborted) {
      exitCode = kind === 'task' && !(error instanceof ConfigError) ? 1 : 2
      const problem = sentence(error)
      process.stderr.write(kind === 'task' ? `${name}: ${problem}\n` : `${name}: cannot start: ${problem}\n`)
      log.debug({ err: error }, 'cannot start')
      tell('a failed start')
    }
    await listener.close()
  }
  const clean = await closers.closeAll((closer, error) => log.error({ err: error, closer }, `${closer} did not close`))
  if (kind === 'service' && exitCode === 0) log.info('stopped')
  process.exit(clean ? exitCode : Math.max(exitCode, 1))

  async function reload(): Promise<void> {
    for (const [reloadName, run] of reloads) {
      try {
        await run()
        log.info({ what: reloadName }, 'reloaded')
      } catch (error) {
        log.error({ err: error, what: reloadName }, `kept the old ${reloadName}: ${sentence(error)}`)
      }
    }
  }
}
