import { spawnSync } from 'node:child_process'
import { violations } from './workspace/boundaries.ts'
import { readProjects } from './workspace/projects.ts'
import { writeChecks } from './workspace/results.ts'

interface Check {
  readonly name: string
  /** What is wrong, or undefined. */
  readonly run: () => string | undefined
}

function command(name: string, program: string, ...args: string[]): Check {
  return {
    name,
    run() {
      const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
      return status === 0 ? undefined : `${stdout}${stderr}`
    },
  }
}

const nx = (target: string, ...args: string[]): string[] => ['run-many', '-t', target, '--output-style=static', ...args]

/** `npm run check`: all that must hold of a commit beside its tests, in the order in which it is cheapest to hear. */
const checks: readonly Check[] = [
  command('format', 'oxfmt', '--check', '.'),
  command('lint', 'nx', ...nx('lint')),
  command('types', 'nx', ...nx('typecheck')),
  { name: 'boundaries', run: () => violations(readProjects()).join('\n') || undefined },
  command('build', 'nx', ...nx('build')),
  {
    name: 'a second build is all cache hits',
    run() {
      const { stdout } = spawnSync('nx', nx('build'), { encoding: 'utf8' })
      const hits = /output from the cache instead of running the command for (\d+) out of (\d+) tasks/.exec(stdout)
      return hits !== null && hits[1] === hits[2] ? undefined : stdout
    },
  },
]

const results = checks.map(({ name, run }) => {
  const started = performance.now()
  const problem = run()
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${problem === undefined ? '✓' : '✗'} ${name.padEnd(34)} ${seconds.padStart(6)} s\n`)
  if (problem !== undefined) process.stdout.write(`${problem.trimEnd()}\n`)
  return { name, passed: problem === undefined }
})
writeChecks(results)
process.exit(results.every(({ passed }) => passed) ? 0 : 1)
