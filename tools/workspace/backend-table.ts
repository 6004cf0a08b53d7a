import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { resultsFolder } from './results.ts'

/** What a test file writes of the server it ran on: tools/backends/src/backend-report.ts. */
interface Report {
  readonly kind: string
  readonly version: string
  readonly origin: string
  readonly readyAfterMs: number
  readonly passed: boolean
}

/** One line per server: what it was, how it was come by, how long its first start took, and how many suites passed on it. */
export function backendTable(folder = resultsFolder): string[] {
  const reports = globSync('*.backends/*.json', { cwd: folder }).map((path): Report =>
    JSON.parse(readFileSync(join(folder, path), 'utf8')),
  )
  const kinds = [...new Set(reports.map(({ kind }) => kind))].toSorted()
  return kinds.map((kind) => {
    const own = reports.filter((report) => report.kind === kind)
    const passed = own.filter((report) => report.passed).length
    const { version = '', origin = '' } = own[0] ?? {}
    const slowest = Math.max(...own.map(({ readyAfterMs }) => readyAfterMs))
    return `${kind.padEnd(11)} ${version.padEnd(26)} ${origin.padEnd(12)} ${(slowest / 1000).toFixed(1).padStart(6)} s to ready ${String(passed).padStart(4)} of ${own.length} suites passed`
  })
}
