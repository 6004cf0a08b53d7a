import { messageOf, UsageError } from '../platform/command-line.ts'
import { runBench } from './run.ts'
import { suites } from './suites/index.ts'

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`)

// What a case started ends with this process (see server.ts and folder.ts), which by a signal alone would tell nobody.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code))

try {
  process.exitCode = await runBench({
    argv: process.argv.slice(2),
    suites,
    print: (line) => void process.stdout.write(`${line}\n`),
    progress: toStderr,
  })
} catch (error) {
  const expected = error instanceof UsageError
  toStderr(error instanceof Error && !expected ? (error.stack ?? error.message) : messageOf(error))
  process.exitCode = expected ? 2 : 1
}
