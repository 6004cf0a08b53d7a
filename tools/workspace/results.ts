import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `npm test` and `npm run check` leave behind to be counted: one JSON file per project, one for the checks. */
export const resultsFolder = fileURLToPath(new URL('../../.test-results/', import.meta.url))

export interface Result {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** Full titles of the tests that did not run. */
  readonly skipped: readonly string[]
}

/** The part of vitest's JSON report that is read here. */
interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
  readonly testResults: readonly { readonly assertionResults: readonly { status: string; fullName: string }[] }[]
}

export function readResults(folder = resultsFolder): Result[] {
  let files: string[]
  try {
    files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  } catch {
    return []
  }
  return files.toSorted().map((file) => summarize(basename(file, '.json'), readFileSync(join(folder, file), 'utf8')))
}

export function summarize(name: string, json: string): Result {
  const report: VitestReport = JSON.parse(json)
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  return {
    name,
    passed: report.numPassedTests,
    // A file that could not even be loaded has no tests to fail, only itself.
    failed: Math.max(report.numFailedTests, report.numFailedTestSuites > 0 ? 1 : 0),
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName),
  }
}

/** Writes results that did not come from vitest in the same form, so that they are counted alike. */
export function writeChecks(checks: readonly { name: string; passed: boolean }[], folder = resultsFolder): void {
  const failed = checks.filter(({ passed }) => !passed).length
  const report: VitestReport = {
    numPassedTests: checks.length - failed,
    numFailedTests: failed,
    numFailedTestSuites: 0,
    testResults: [
      {
        assertionResults: checks.map(({ name, passed }) => ({ fullName: name, status: passed ? 'passed' : 'failed' })),
      },
    ],
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'checks.json'), JSON.stringify(report))
}
