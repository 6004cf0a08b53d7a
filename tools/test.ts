import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { backendTable } from './workspace/backend-table.ts'
import { readProjects } from './workspace/projects.ts'
import { readResults, resultsFolder } from './workspace/results.ts'

/**
 * `npm test [-- project...]`: every project's tests through Nx, so that an unchanged project is a cache hit, then one
 * summary. What was skipped is named: a backend that could not be started must not look like one that passed.
 */
const projects = process.argv.slice(2)
const known = readProjects().map(({ name }) => name)
const unknown = projects.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`${unknown.join(', ')}: no such project; there are ${known.toSorted().join(', ')}\n`)
  process.exit(2)
}
const selection = projects.length > 0 ? [`--projects=${projects.join(',')}`] : []

rmSync(resultsFolder, { recursive: true, force: true })
// One project at a time: each runs three test files at once, and most of those start real processes of their own.
const { status } = spawnSync('nx', ['run-many', '-t', 'test', '--parallel=1', '--output-style=static', ...selection], {
  stdio: 'inherit',
})

const results = readResults()
const total = (count: (result: (typeof results)[number]) => number): number =>
  results.reduce((sum, result) => sum + count(result), 0)
const lines = results.map(
  ({ name, passed, failed, skipped }) =>
    `  ${name.padEnd(20)} ${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed ${String(skipped.length).padStart(4)} skipped`,
)
const skips = results.flatMap(({ name, skipped }) => skipped.map((title) => `  ${name}: ${title}`))
const backends = backendTable()
process.stdout.write(
  [
    '',
    ...lines,
    ...(backends.length > 0 ? ['', 'Real servers:', ...backends.map((line) => `  ${line}`)] : []),
    ...(skips.length > 0 ? ['', 'Skipped:', ...skips] : []),
    '',
    `${total(({ passed }) => passed)} passed, ${total(({ failed }) => failed)} failed, ${skips.length} skipped`,
    '',
  ].join('\n'),
)
process.exit(status ?? 1)
