import { messageOf, UsageError } from '../platform/command-line.ts'
import { runBench } from './run.ts'
import { suites } from './suites/index.ts'

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`)

try {
  process.exitCode = await runBench({
    argv: process.argv.slice(2),
    suites,
    print: (line) => void process.stdout.write(`${line}\n`),
    progress: process.stderr.isTTY ? toStderr : () => {},
  })
} catch (error) {
  const expected = error instanceof UsageError
  toStderr(error instanceof Error && !expected ? (error.stack ?? error.message) : messageOf(error))
  process.exitCode = expected ? 2 : 1
}
