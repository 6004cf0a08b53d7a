import { messageOf, UsageError } from '../platform/command-line.ts'
import { StartError } from '../platform/start-error.ts'
import { runTourCommand } from './command.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`)
let code = 1
try {
  code = await runTourCommand({
    argv: process.argv.slice(2),
    env: process.env,
    colour: process.stdout.isTTY && !process.env['NO_COLOR'],
    print: (line) => void process.stdout.write(`${line}\n`),
    progress: process.stderr.isTTY ? toStderr : () => {},
    stop: stop.signal,
  })
} catch (error) {
  const expected = error instanceof UsageError || error instanceof StartError
  toStderr(error instanceof Error && !expected ? (error.stack ?? error.message) : messageOf(error))
  if (expected) code = 2
}
process.exit(code)
