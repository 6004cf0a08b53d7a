/*
 * Drives the same stages with wrk and with k6, one after the other, and compares what they say. A delay in front of the api makes
 * the service the slow part: without one, users without think time measure how fast their generator is.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startFaultProxy } from '@ballast/fault-proxy'
import { parseCommandLine, runProgram } from '../../platform/command-line.ts'
import { comparison } from './comparison.ts'
import { type Outcome, scaled, summaryTable } from './plan.ts'
import { runStages } from './run-stages.ts'

const flags = {
  url: { kind: 'text', value: 'URL', default: 'http://127.0.0.1:4004', help: 'origin of the api' },
  k6: { kind: 'text', value: 'FILE', default: 'k6', help: 'the program k6' },
  'delay-ms': { kind: 'integer', value: 'N', min: 0, max: 10_000, default: 250, help: 'each way, in front of the api' },
} as const

const run = promisify(execFile)
const script = fileURLToPath(new URL('k6-script.ts', import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

await runProgram(main)

/** Exit code 1 when requests a second, p95 or the errors differ by more than 10 %. */
async function main(): Promise<number> {
  const { url, k6, 'delay-ms': latencyMs } = parseCommandLine(process.argv.slice(2), flags).flags
  const { K6_SCALE = '0.005', K6_TIME_SCALE = '0.03' } = process.env
  await using proxy = await startFaultProxy({ target: url })
  proxy.set({ latencyMs })
  const origin = new URL(proxy.url).origin
  const stages = scaled(Number(K6_SCALE), Number(K6_TIME_SCALE))
  const byWrk = await runStages(origin, stages, (line) => void process.stderr.write(`${line}\n`))
  say(summaryTable(byWrk))
  const byK6 = await runK6(k6, { BASE_URL: origin, K6_SCALE, K6_TIME_SCALE })
  say(summaryTable(byK6))
  const { text, agree } = comparison(byWrk, byK6)
  say(text)
  return agree ? 0 : 1
}

async function runK6(program: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'ballast-k6-'))
  const file = join(folder, 'outcome.json')
  const given = Object.entries({ ...env, OUTCOME: file }).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  try {
    // It ends with 99 where a threshold fails, which is no failure here.
    await run(program, ['run', '--quiet', '--no-usage-report', ...given, script]).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 99)) throw error
    })
    return JSON.parse(await readFile(file, 'utf8'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
