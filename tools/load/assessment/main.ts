import { messageOf, parseCommandLine, UsageError } from '../../platform/command-line.ts'
import { hasWrk } from '../wrk/run-wrk.ts'
import { passes, scaled, summaryTable } from './plan.ts'
import { runStages } from './run-stages.ts'

const flags = {
  url: { kind: 'text', value: 'URL', default: 'http://127.0.0.1:4004', help: 'origin of the api' },
  journal: { kind: 'text', value: 'FILE', help: 'keep the ids of acknowledged writes in FILE.1' },
} as const

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

/** K6_SCALE and K6_TIME_SCALE are read as by the k6 script. Exit code 1 when a threshold fails. */
async function main(): Promise<number> {
  const { url, journal } = parseCommandLine(process.argv.slice(2), flags).flags
  if (!(await hasWrk())) throw new UsageError('wrk is not installed: apt-get install wrk, or use k6 with k6-script.ts')
  const ready = await fetch(`${url}/readyz`).catch(() => undefined)
  if (ready?.status !== 200) throw new Error(`${url}/readyz does not answer 200: is the service up?`)
  const outcome = await runStages(
    url,
    scaled(numberOf('K6_SCALE'), numberOf('K6_TIME_SCALE')),
    (line) => void process.stderr.write(`${line}\n`),
    journal,
  )
  process.stdout.write(`${summaryTable(outcome)}\n`)
  return passes(outcome) ? 0 : 1
}

function numberOf(name: string): number {
  const text = process.env[name] ?? '1'
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`${name} must be a number above 0, not ${JSON.stringify(text)}`)
  return value
}
