import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { messageOf } from '../platform/command-line.ts'
import { withFigures } from './figures.ts'
import { keep, keptSuites, readResult } from './kept-suite.ts'
import { measureSuites } from './measure-suites.ts'
import { documents, read, root } from './markdown.ts'
import { performanceFiles } from './performance.ts'
import { references } from './reference.ts'

const usage = `Usage: npm run docs [-- --measure [--quick] [--long-seconds N] [--only TEXT] [suite]...]
       npm run docs -- --take FILE... [--machine TEXT]

Writes what docs/ takes from the code: settings.md, errors.md, metrics.md, performance.md and its plots; and in every document the
figures that a bench has measured.
  --measure         first runs the benchmarks (all suites, or those named) and keeps their figures in docs/performance/; on a machine
                    that does nothing else, as long as all suites of npm run bench take
  --quick           3 short rounds instead of 5
  --long-seconds N  how long the long cases take, instead of 600; --quick leaves them out
  --only TEXT       only cases whose name contains this; the others stay as they are
  --take FILE       instead keeps figures that npm run bench -- <suite> --json FILE has written; they replace those of the same cases
  --machine TEXT    for a FILE that is a bare array: the first line that the bench printed

Examples
  npm run docs
  npm run docs -- --measure --long-seconds 60      # all of it, with short long cases
  npm run docs -- --measure --quick hashing
  npm run docs -- --take bench-results/counter.json bench-results/scaler.json
`

function take(argv: readonly string[]): void {
  const at = argv.indexOf('--machine')
  const machine = at < 0 ? undefined : argv[at + 1]
  const files = argv.filter((word, index) => !word.startsWith('--') && (at < 0 || index !== at + 1))
  if (files.length === 0) throw new Error('--take needs a file that npm run bench -- <suite> --json FILE has written')
  for (const file of files) process.stdout.write(`${relative(root, keep(readResult(file, machine)))}\n`)
}

function fillFigures(): void {
  const suites = keptSuites()
  for (const document of documents()) {
    const text = read(document)
    const filled = withFigures(document, text, suites)
    if (filled === text) continue
    writeFileSync(join(root, document), filled)
    process.stdout.write(`${document}\n`)
  }
}

try {
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) process.stdout.write(usage)
  else {
    if (argv.includes('--measure')) await measureSuites(argv.filter((word) => word !== '--measure'))
    else if (argv.includes('--take')) take(argv)
    else if (argv.length > 0) throw new Error(`${argv.join(' ')}: nobody knows that here; see --help`)
    for (const [name, text] of Object.entries({ ...(await references()), ...performanceFiles() })) {
      writeFileSync(join(root, 'docs', name), text)
      process.stdout.write(`docs/${name}\n`)
    }
    fillFigures()
  }
} catch (error) {
  process.stderr.write(`docs: ${messageOf(error)}\n`)
  process.exitCode = 2
}
