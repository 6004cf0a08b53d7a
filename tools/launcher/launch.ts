import { resolve } from 'node:path'
import { UsageError } from '../platform/command-line.ts'
import type { LogRecord } from '../platform/log-record.ts'
import { Platform } from '../platform/platform.ts'
import { selectServices } from '../platform/select-services.ts'
import type { ServiceDefinition } from '../platform/service.ts'
import { StartError } from '../platform/start-error.ts'
import { startConsole } from './console/console-server.ts'
import { type LauncherFlags, launcherHelp, parseLauncherFlags } from './options.ts'
import type { LineOutput } from './output.ts'
import { consoleLine, readyLine, readyTable, statusTable } from './ready-table.ts'
import { renderLog } from './render-log.ts'

export interface LaunchOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly services: readonly ServiceDefinition[]
  readonly stdout: LineOutput
  readonly stderr: LineOutput
  readonly colour: boolean
  /** Aborted by the first signal: drain. */
  readonly stop: AbortSignal
  /** Aborted by the second one: do not wait any longer. */
  readonly kill: AbortSignal
}

/** Runs until it is told to stop. Returns the exit code: 0 drained, 1 did not stop cleanly, 2 could not start. */
export async function launch(options: LaunchOptions): Promise<number> {
  try {
    const flags = parseLauncherFlags(options.argv)
    if (flags.help) options.stdout.line(launcherHelp(options.services).trimEnd())
    else await run(options, flags, selectServices(flags.only, options.services))
    return 0
  } catch (error) {
    if (options.stop.aborted && error instanceof StartError) return 0
    if (!(error instanceof StartError || error instanceof UsageError)) {
      options.stderr.line(error instanceof Error ? (error.stack ?? error.message) : String(error))
      return 1
    }
    options.stderr.line(error.message)
    return 2
  }
}

async function run(
  options: LaunchOptions,
  flags: LauncherFlags,
  services: readonly ServiceDefinition[],
): Promise<void> {
  const { env, stdout, stderr, stop, kill } = options
  const startedMs = performance.now()
  const dataDir = resolve(flags['data-dir'])
  const log = logSink(options, flags, services, () => statusTable({ platform, services }))
  const platform: Platform = new Platform({
    services,
    dataDir,
    portBase: flags['port-base'],
    env,
    replicas: flags.workers,
    onLog: log.write,
  })
  const { promise: stopped, resolve: toldToStop } = Promise.withResolvers<void>()
  stop.addEventListener('abort', () => {
    stderr.line('Stopping; a second Ctrl-C does not wait.')
    platform.stop().then(toldToStop, toldToStop)
  })
  kill.addEventListener('abort', () => platform.kill())
  // Up before the services: whoever opens it at once sees them come.
  const overview = await startConsole({ platform, services, port: flags['port-base'] })
  // What it has paused could not stop in an orderly way.
  stop.addEventListener('abort', () => void overview.close())
  try {
    if (!flags.json) {
      stdout.line(consoleLine(overview.address))
      stderr.line(`Starting ${services.map(({ name }) => name).join(', ')} ...`)
    }
    await platform.start()
    const tookMs = performance.now() - startedMs
    stdout.line(
      flags.json
        ? readyLine({ platform, services, overview })
        : readyTable({ platform, services, dataDir, tookMs, overview }),
    )
    log.begin()
    await stopped
    await platform.stop()
  } finally {
    await overview.close()
  }
}

interface LogSink {
  readonly write: (record: LogRecord) => void
  begin(): void
}

/** Logs of the start are held back until the table stands, so that it is the first thing to read. */
function logSink(
  { stdout, stderr, colour }: LaunchOptions,
  { json }: LauncherFlags,
  services: readonly ServiceDefinition[],
  status: () => string,
): LogSink {
  // Other names in the stream: platform, consumer, worker-0.
  const nameWidth = Math.max('worker-0'.length, ...services.map(({ name }) => name.length))
  const held: string[] = []
  let begun = false
  const write = (record: LogRecord): void => {
    if (json) stderr.line(jsonLog(record))
    else if (begun) {
      stdout.line(renderLog(record, { colour, nameWidth }))
      if (record.process === 'platform' && 'restarts' in record.fields) stdout.line(status())
    } else held.push(renderLog(record, { colour, nameWidth }))
  }
  const begin = (): void => {
    begun = true
    for (const line of held.splice(0)) stdout.line(line)
  }
  return { write, begin }
}

function jsonLog({ process, level, timeMs, msg, fields }: LogRecord): string {
  return JSON.stringify({ ...fields, time: timeMs, level, process, msg })
}
