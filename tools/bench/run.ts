import { open, writeFile } from 'node:fs/promises'
import { describeFlags, parseCommandLine, UsageError } from '../platform/command-line.ts'
import { reasonOf } from '../platform/start-error.ts'
import { type Effort, quickEffort, type Suite, wholeEffort } from './case.ts'
import { describeMachine } from './machine.ts'
import { type Measured, measure } from './measure.ts'
import type { BenchResult } from './result.ts'
import { benchTable } from './table.ts'

const flags = {
  json: {
    kind: 'text',
    value: 'FILE',
    help: 'write the figures there, with the machine and the day; npm run docs -- --take reads it',
  },
  quick: { kind: 'switch', help: `${quickEffort.rounds} short rounds instead of ${wholeEffort.rounds}` },
  'long-seconds': { kind: 'text', value: 'N', help: 'length of long cases, instead of 600; --quick leaves them out' },
  only: { kind: 'text', value: 'TEXT', help: 'only cases whose name contains this' },
  help: { kind: 'switch', help: 'show this text' },
} as const

export interface BenchOptions {
  readonly argv: readonly string[]
  readonly suites: readonly Suite[]
  /** Results. */
  readonly print: (line: string) => void
  /** What is going on meanwhile. */
  readonly progress: (line: string) => void
}

/** Returns the exit code: 0, or 2 for a wrong command line. A case that fails rejects. */
export async function runBench({ argv, suites, print, progress }: BenchOptions): Promise<number> {
  const { flags: given, words } = parseCommandLine(argv, flags, 1)
  const [name] = words
  if (given.help || name === undefined) {
    print(benchHelp(suites))
    return given.help ? 0 : 2
  }
  const suite = suites.find((candidate) => candidate.name === name)
  if (suite === undefined) {
    throw new UsageError(`There is no suite "${name}"; there are ${suites.map(({ name }) => name).join(', ')}.`)
  }
  if (given.json !== undefined) await expectWritable(given.json)
  const effort = effortOf(given.quick, given['long-seconds'])
  const machine = describeMachine()
  print(machine)
  const startedMs = performance.now()
  const measured = await runSuite(suite, effort, given.only ?? '', progress)
  print('')
  print(benchTable(measured))
  if (given.json === undefined) return 0
  const result: BenchResult = {
    suite: name,
    command: ['npm run bench --', ...withoutJson(argv)].join(' '),
    quick: given.quick,
    machine,
    takenOn: new Date().toISOString().slice(0, 10),
    tookSeconds: Math.round((performance.now() - startedMs) / 1000),
    cases: measured,
  }
  await writeFile(given.json, `${JSON.stringify(result, undefined, 2)}\n`)
  return 0
}

/** Where the figures went is of no interest to who repeats the run. */
const withoutJson = (argv: readonly string[]): readonly string[] =>
  argv.filter((word, index) => !word.startsWith('--json') && argv[index - 1] !== '--json')

function effortOf(quick: boolean, longSeconds: string | undefined): Effort {
  if (longSeconds === undefined) return quick ? quickEffort : wholeEffort
  const longMs = Number(longSeconds) * 1_000
  if (!(longMs > 0)) throw new UsageError(`--long-seconds must be a number above 0, not ${longSeconds}.`)
  return { ...(quick ? quickEffort : wholeEffort), longMs }
}

/** Said before minutes are spent on figures that could not be kept. */
async function expectWritable(path: string): Promise<void> {
  try {
    await (await open(path, 'a')).close()
  } catch (error) {
    throw new UsageError(`--json ${path} cannot be written (${reasonOf(error)}): choose another file.`)
  }
}

async function runSuite(
  suite: Suite,
  effort: Effort,
  only: string,
  progress: (line: string) => void,
): Promise<Measured[]> {
  const measured: Measured[] = []
  const chosen = suite.cases.filter(({ name, long }) => name.includes(only) && (!long || effort.longMs !== undefined))
  for (const bench of chosen) {
    progress(`${bench.name}: ${bench.compares}`)
    await using stack = new AsyncDisposableStack()
    const sides = await bench.open(stack, { ...effort, progress: (line) => progress(`  ${line}`) })
    const rounds = bench.rounds?.(effort) ?? effort.rounds
    const onRound = (round: number): void => progress(`  round ${round} of ${rounds}`)
    measured.push(await measure(bench, sides, rounds, onRound))
  }
  if (measured.length === 0) throw new UsageError(`No case of ${suite.name} has "${only}" in its name.`)
  return measured
}

function benchHelp(suites: readonly Suite[]): string {
  const width = Math.max(...suites.map(({ name }) => name.length))
  return `Usage: npm run bench -- <suite> [flags]

Suites
${suites.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`).join('\n')}

Flags
${describeFlags(flags)}

Ours and its peer take turns within one run; figures are medians, a ratio above 1 means that ours is better.

Examples
  npm run bench -- counter
  npm run bench -- message-store --quick --json bench-results/message-store.json`
}
