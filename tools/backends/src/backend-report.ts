import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunningBackend } from './backend.ts'

/** One test file's use of a shared server; `npm test` adds them up into its table of backends. */
export interface BackendReport {
  readonly kind: string
  readonly version: string
  readonly origin: string
  readonly readyAfterMs: number
  readonly suite: string
  readonly passed: boolean
}

/** Those that failed in this test file; a later one that passes does not make them good. */
const failed = new Set<string>()

/**
 * Beside the project's own results, as `<project>.backends/<file>-<kind>.json`, so that Nx caches both together. A file that
 * has several suites on servers of one kind counts as one.
 */
export function writeBackendReport(backend: RunningBackend, testFile: string, hasPassed: boolean): void {
  const { kind, version, origin, readyAfterMs } = backend
  const project = projectOf(testFile)
  const suite = suiteOf(testFile, project.folder)
  if (!hasPassed) failed.add(kind)
  const passed = !failed.has(kind)
  const report: BackendReport = { kind, version, origin, readyAfterMs, suite, passed }
  const folder = join(fileURLToPath(new URL('../../../.test-results/', import.meta.url)), `${project.name}.backends`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${suite}-${kind}.json`), JSON.stringify(report))
}

/** By the whole path: counters, queue and cache each have a redis.test.ts. */
export const suiteOf = (testFile: string, projectFolder: string): string =>
  relative(projectFolder, testFile)
    .replace(/\.test\.ts$/, '')
    .replaceAll('/', '.')

function projectOf(testFile: string): { readonly name: string; readonly folder: string } {
  let folder = dirname(testFile)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const manifest: { nx: { name: string } } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return { name: manifest.nx.name, folder }
}
