import { afterAll, describe, expect, test } from 'vitest'
import { BackendUnavailableError, type BackendKind, type BackendOptions, type RunningBackend } from './backend.ts'
import { writeBackendReport } from './backend-report.ts'
import { sharedBackend } from './start.ts'

/**
 * `describe` for suites that need a real server: they run on the shared one of the test run. Where none can be had the
 * suite is skipped under a title that says why, and under BACKENDS=all it fails.
 * Await it at the top level of a test file: the server starts while tests are being collected.
 */
export async function describeOnBackend(
  kind: BackendKind,
  suites: (backend: RunningBackend) => void,
  options: BackendOptions = {},
): Promise<void> {
  const found = await sharedBackend(kind, options).catch((error: unknown) => {
    if (error instanceof BackendUnavailableError) return error
    throw error
  })
  if (found instanceof BackendUnavailableError) declareMissing(found)
  else declare(found, suites)
}

function declare(backend: RunningBackend, suites: (backend: RunningBackend) => void): void {
  describe(`on ${backend.kind} ${backend.version}`, () => {
    countSuite(backend)
    suites(backend)
  })
}

/** Counts the `describe` around, or the file, among the suites of these servers in the table of `npm test`. */
export function countSuite(...backends: readonly RunningBackend[]): void {
  // eslint-disable-next-line no-empty-pattern -- vitest parses the parameter and takes nothing but a pattern
  afterAll(({}, suite) => {
    // A hook that failed leaves its tests without a result.
    const passed = [suite, ...suite.tasks].every(hasPassed)
    for (const backend of backends) writeBackendReport(backend, suite.file.filepath, passed)
  })
}

interface Task {
  readonly result?: { readonly state: string } | undefined
}

/** A suite's own state includes that of its tests. */
const hasPassed = ({ result }: Task): boolean => result?.state !== 'fail'

function declareMissing({ message }: BackendUnavailableError): void {
  test.skipIf(process.env['BACKENDS'] !== 'all')(`needs ${message}`, () => {
    expect.fail(message)
  })
}
