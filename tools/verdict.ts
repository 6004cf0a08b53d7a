import { readResults } from './workspace/results.ts'

/**
 * The last line of .ci/run: all tests and checks in one count. The arguments are the exit codes of the steps before;
 * a step that failed without any failed test (it could not even start) still counts as one failure.
 */
const results = readResults()
const passed = results.reduce((sum, result) => sum + result.passed, 0)
const skipped = results.reduce((sum, result) => sum + result.skipped.length, 0)
const counted = results.reduce((sum, result) => sum + result.failed, 0)
const crashed = process.argv.slice(2).some((code) => code !== '0')
const failed = crashed ? Math.max(counted, 1) : counted
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)
