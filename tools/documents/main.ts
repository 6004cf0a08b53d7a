import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../platform/command-line.ts'
import { measureSuites } from './measure-suites.ts'
import { root } from './markdown.ts'
import { performanceFiles } from './performance.ts'
import { references } from './reference.ts'

const usage = `Usage: npm run docs [-- --measure [--quick] [--only TEXT] [suite]...]

Writes what docs/ takes from the code: settings.md, errors.md, metrics.md, performance.md and its plots.
  --measure   first runs the benchmarks (all suites, or those named) and keeps their figures in docs/performance/
  --quick     3 short rounds instead of 5
  --only TEXT only cases whose name contains this

Examples
  npm run docs
  npm run docs -- --measure --quick hashing
`

try {
  const argv = process.argv.slice(2)
  if (argv.includes('--help')) process.stdout.write(usage)
  else {
    if (argv.includes('--measure')) await measureSuites(argv.filter((word) => word !== '--measure'))
    else if (argv.length > 0) throw new Error(`${argv.join(' ')}: nobody knows that here; see --help`)
    for (const [name, text] of Object.entries({ ...(await references()), ...performanceFiles() })) {
      writeFileSync(join(root, 'docs', name), text)
      process.stdout.write(`docs/${name}\n`)
    }
  }
} catch (error) {
  process.stderr.write(`docs: ${messageOf(error)}\n`)
  process.exitCode = 2
}
