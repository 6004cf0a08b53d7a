import cluster from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { ConfigError } from '../config/config-error.ts'
import { Health } from '../health.ts'
import { createLog } from '../log.ts'
import { Closers } from './closers.ts'
import type { CommandKind, PreparedCommand } from './command.ts'
import { createService } from './create-service.ts'
import { Listener } from './listener.ts'
import { Reloads } from './reloads.ts'
import { sentence } from './sentence.ts'
import { Stopping } from './stopping.ts'
import { workerVariable } from '../workers/worker.ts'

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
  const ownLog = await createLog({ name, fd: kind === 'task' ? 2 : 1, ...settings })
  const { isWorker } = cluster
  const log = isWorker ? ownLog.child({ worker: process.env[workerVariable] }) : ownLog
  const health = new Health()
  const closers = new Closers()
  const listener = new Listener({ settings, prefix, log, health, isWorker })
  let phase = 'start'
  const pending = (): object => ({ waitingFor: closers.current ?? phase, openRequests: listener.openRequests })
  const stopping = new Stopping({ log, health, graceMs: settings.graceMs, pending })
  const reloads = new Reloads(log)
  stopping.listen()
  // The terminal it was started from is gone: who would stop it then? Elsewhere SIGHUP asks for a reload.
  process.on('SIGHUP', () => (isatty(1) ? stopping.stop('the terminal is gone') : void reloads.all()))
  let exitCode = 0
  try {
    const service = await createService(run, { log, health, closers, listener, stopping, reloads })
    const code = await prepared.run(service)
    exitCode = code ?? 0
    if (kind === 'service') {
      phase = 'requests'
      await stopping.told
      if (listener.listening) await delay(settings.drainDelayMs)
    }
  } catch (error) {
    // Being told to stop while starting makes starts fail; that is no failure.
    if (!stopping.signal.aborted) exitCode = failed(error)
    stopping.limit()
  }
  // What has arrived then has the other half of the grace time, as have the closers.
  await listener.close(settings.graceMs / 2 - settings.drainDelayMs)
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
