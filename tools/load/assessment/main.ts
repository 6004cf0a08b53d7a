import { parseCommandLine, runProgram, UsageError } from '../../platform/command-line.ts'
import { generateLoad } from '../generate-load.ts'
import { failures } from '../options.ts'
import { hasWrk } from '../wrk/run-wrk.ts'
import { passes, scaled, summaryTable } from './plan.ts'
import { runStages } from './run-stages.ts'

const flags = {
  url: { kind: 'text', value: 'URL', default: 'http://127.0.0.1:4004', help: 'origin of the api' },
  rate: {
    kind: 'text',
    value: 'N',
    help: 'instead of the stages: N requests a second at fixed times, latency from when each was due',
  },
  seconds: { kind: 'text', value: 'N', default: '30', help: 'how long, with --rate' },
  journal: { kind: 'text', value: 'FILE', help: 'keep the ids of acknowledged writes in FILE.1' },
} as const

await runProgram(main)

/** K6_SCALE and K6_TIME_SCALE are read as by the k6 script. Exit code 1 when a threshold fails. */
async function main(): Promise<number> {
  const { url, journal, rate, seconds } = parseCommandLine(process.argv.slice(2), flags).flags
  if (rate !== undefined) return atConstantRate(url, positive('--rate', rate), positive('--seconds', seconds))
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

/** An open loop, without coordinated omission. Exit code 1 when an answer was missing or refused. */
async function atConstantRate(url: string, ratePerSecond: number, seconds: number): Promise<number> {
  const request = { method: 'GET', path: '/api/data' }
  const result = await generateLoad({ url, connections: 338, ratePerSecond, durationMs: seconds * 1000, request })
  const { p50, p95, p99, max } = result.latencyMs
  const failed = failures(result)
  process.stdout.write(
    `${result.perSecond.toFixed(0)} of ${ratePerSecond} requests a second answered; p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(0)} ms; ${failed} failed\n`,
  )
  return failed === 0 ? 0 : 1
}

function numberOf(name: string): number {
  return positive(name, process.env[name] ?? '1')
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`${name} must be a number above 0, not ${JSON.stringify(text)}`)
  return value
}
