import type { ServiceDefinition } from '../platform/service.ts'
import { launch } from './launch.ts'
import { LineOutput } from './output.ts'
import { stopSignals } from './signals.ts'

/** Connects `launch` with this process: its arguments, streams, signals and exit code. */
export async function runLauncher(services: readonly ServiceDefinition[]): Promise<never> {
  const stderr = new LineOutput(process.stderr)
  const stdout = new LineOutput(process.stdout, () =>
    stderr.line('Nobody reads the logs any more; the services go on.'),
  )
  const code = await launch({
    argv: process.argv.slice(2),
    env: process.env,
    services,
    stdout,
    stderr,
    colour: process.stdout.isTTY && !process.env['NO_COLOR'],
    ...stopSignals(process),
  })
  process.exit(code)
}
