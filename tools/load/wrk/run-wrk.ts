import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Histogram } from '../histogram.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('check.lua', import.meta.url))

export interface WrkOptions {
  readonly url: string
  readonly connections: number
  readonly durationMs: number
  /** Keeps the ids of acknowledged writes in files of this name and a number. */
  readonly journal?: string
  /** The users come in so many groups, a second apart; all go on until the end. Without it all connect in the same moment. */
  readonly groups?: number
}

export interface WrkResult {
  readonly latencies: Histogram
  readonly seconds: number
  readonly answers: number
  /** Answers with another status than 200 or without success in the body; `refusals` are the 503 among them. */
  readonly bad: number
  readonly refusals: number
  readonly socketErrors: number
  readonly timeouts: number
}

export async function hasWrk(): Promise<boolean> {
  return run('sh', ['-c', 'command -v wrk']).then(
    () => true,
    () => false,
  )
}

/** A closed loop by wrk, which takes a fraction of the processor time of a client in Node: `connections` users without think time. */
export async function runWrk({ groups = 1, connections, journal, ...options }: WrkOptions): Promise<WrkResult> {
  if (groups === 1) return runGroup({ connections, ...options, ...(journal === undefined ? {} : { journal }) })
  const results = await Promise.all(
    Array.from({ length: groups }, async (_, group) => {
      await delay(1000 * group)
      return runGroup({
        ...options,
        connections: Math.floor(((group + 1) * connections) / groups) - Math.floor((group * connections) / groups),
        durationMs: options.durationMs - 1000 * group,
        // Two programs that append to one file would cut each other's lines.
        ...(journal === undefined ? {} : { journal: `${journal}.${group}` }),
      })
    }),
  )
  const latencies = new Histogram()
  for (const result of results) latencies.addAll(result.latencies)
  const sum = (count: (result: WrkResult) => number): number => results.reduce((all, result) => all + count(result), 0)
  return {
    latencies,
    seconds: Math.max(...results.map(({ seconds }) => seconds)),
    answers: sum(({ answers }) => answers),
    bad: sum(({ bad }) => bad),
    refusals: sum(({ refusals }) => refusals),
    socketErrors: sum(({ socketErrors }) => socketErrors),
    timeouts: sum(({ timeouts }) => timeouts),
  }
}

async function runGroup({ url, connections, durationMs, journal }: Omit<WrkOptions, 'groups'>): Promise<WrkResult> {
  const seconds = Math.max(1, Math.round(durationMs / 1000))
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url]
  // One descriptor a connection, and the shell's limit is often 1024. It ends with this process, however that ends (Linux).
  const shell =
    'ulimit -n $(ulimit -Hn); command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL -- wrk "$@"; exec wrk "$@"'
  const { stdout } = await run('sh', ['-c', shell, 'wrk', ...args, ...(journal === undefined ? [] : ['--', journal])], {
    maxBuffer: 64 * 2 ** 20,
  })
  return parseWrk(stdout)
}

export function parseWrk(text: string): WrkResult {
  const counts = /^ballast (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(text)?.slice(1).map(Number)
  if (counts === undefined) throw new Error(`wrk printed no result: ${text.slice(0, 500)}`)
  const [answers = 0, bad = 0, refusals = 0, socketErrors = 0, timeouts = 0, microseconds = 0] = counts
  const latencies = new Histogram()
  for (const [, ms, count] of text.matchAll(/^ms (\d+) (\d+)$/gm)) latencies.add(Number(ms), Number(count))
  return { latencies, seconds: microseconds / 1e6, answers, bad, refusals, socketErrors, timeouts }
}

/** The ids that `journal` gathered over all runs. */
export async function readJournal(journal: string): Promise<string[]> {
  const names = (await readdir(dirname(journal))).filter((name) => name.startsWith(`${basename(journal)}.`))
  const texts = await Promise.all(names.map((name) => readFile(join(dirname(journal), name), 'utf8')))
  return texts.flatMap((text) => Array.from(text.matchAll(/"([0-9a-f]{24})"/g), ([, id = '']) => id))
}
