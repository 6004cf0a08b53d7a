import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isBenchResult, isMeasuredList, type BenchResult } from '../bench/result.ts'
import { root } from './markdown.ts'

/** docs/performance/<suite>.json: what runs of a suite measured, each with where and when. A case is in one of them only. */
export interface KeptSuite {
  readonly suite: string
  readonly runs: readonly BenchResult[]
}

const folderOf = (base: string): string => join(base, 'docs/performance')

const isKept = (value: unknown): value is KeptSuite =>
  typeof value === 'object' &&
  value !== null &&
  'suite' in value &&
  'runs' in value &&
  Array.isArray(value.runs) &&
  value.runs.every(isBenchResult)

function read(path: string): KeptSuite {
  const kept: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (!isKept(kept)) throw new Error(`${path} was not written by npm run docs -- --measure or --take`)
  return kept
}

export function keptSuites(base: string = root): KeptSuite[] {
  return globSync('*.json', { cwd: folderOf(base) })
    .toSorted()
    .map((name) => read(join(folderOf(base), name)))
}

/** Replaces what is kept of the same cases; with `all`, of the whole suite. Returns the file. */
export function keep(result: BenchResult, { all = false, base = root } = {}): string {
  const path = join(folderOf(base), `${result.suite}.json`)
  const names = new Set(result.cases.map(({ case: name }) => name))
  const earlier = all || !existsSync(path) ? [] : read(path).runs
  const rest = earlier
    .map((run) => ({ ...run, cases: run.cases.filter(({ case: name }) => !names.has(name)) }))
    .filter(({ cases }) => cases.length > 0)
  const kept: KeptSuite = { suite: result.suite, runs: [...rest, result] }
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`)
  return path
}

/** The bench makes the file before it measures, and fills it at its end. */
function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new Error(`${path} is no whole JSON: did the bench that was to write it end?`, { cause: error })
  }
}

/**
 * A file that `npm run bench -- <suite> --json` wrote. A bare array of figures, as it wrote once, says nothing of the machine:
 * `machine` does then, and the day is that of the file.
 */
export function readResult(path: string, machine?: string): BenchResult {
  const found = parsed(path)
  if (isBenchResult(found)) return found
  if (!isMeasuredList(found) || found.length === 0) {
    throw new Error(`${path} was not written by npm run bench -- <suite> --json`)
  }
  if (machine === undefined) {
    throw new Error(
      `${path} does not say where its figures come from: add --machine with the first line that the bench printed`,
    )
  }
  const suite = found[0]?.case.split('/', 1)[0] ?? ''
  return {
    suite,
    command: `npm run bench -- ${suite}`,
    quick: found.some(({ rounds }) => rounds < 5),
    machine,
    takenOn: statSync(path).mtime.toISOString().slice(0, 10),
    tookSeconds: 0,
    cases: found,
  }
}
