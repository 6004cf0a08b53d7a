import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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

/** Beside the project's own results, as `<project>.backends/<file>-<kind>.json`, so that Nx caches both together. */
export function writeBackendReport(backend: RunningBackend, testFile: string, passed: boolean): void {
  const { kind, version, origin, readyAfterMs } = backend
  const suite = basename(testFile, '.test.ts')
  const report: BackendReport = { kind, version, origin, readyAfterMs, suite, passed }
  const folder = join(
    fileURLToPath(new URL('../../../.test-results/', import.meta.url)),
    `${projectOf(testFile)}.backends`,
  )
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${suite}-${kind}.json`), JSON.stringify(report))
}

function projectOf(testFile: string): string {
  let folder = dirname(testFile)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const manifest: { nx: { name: string } } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return manifest.nx.name
}
