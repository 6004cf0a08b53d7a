import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suites } from '../bench/suites/index.ts'
import { keep, readResult } from './kept-suite.ts'
import { root } from './markdown.ts'

/** Flags of the bench that are followed by a value. */
const withValue = new Set(['--only', '--long-seconds'])

/** Runs suites as `npm run bench` does, each in a process of its own, and keeps the figures of each as soon as it has ended. */
export async function measureSuites(argv: readonly string[]): Promise<void> {
  const names = suites.map(({ name }) => name)
  const isSuite = (word: string, index: number): boolean =>
    !word.startsWith('--') && !withValue.has(argv[index - 1] ?? '')
  const chosen = argv.filter(isSuite)
  const flags = argv.filter((word, index) => !isSuite(word, index))
  for (const name of chosen.length > 0 ? chosen : names) await measureSuite(name, flags)
}

async function measureSuite(name: string, flags: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-docs-'))
  try {
    const json = join(folder, 'figures.json')
    const args = ['tools/bench/main.ts', name, ...flags, '--json', json]
    const bench = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
    await once(bench, 'close')
    if (bench.exitCode !== 0) throw new Error(`npm run bench -- ${name} ended with ${bench.exitCode}`)
    keep(readResult(json), { all: !flags.includes('--only') })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
