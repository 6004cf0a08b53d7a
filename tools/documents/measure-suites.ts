import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suites } from '../bench/suites/index.ts'
import { isMeasuredList, type KeptSuite } from './kept-suite.ts'
import { root } from './markdown.ts'

/** Runs suites as `npm run bench` does, each in a process of its own, and keeps the figures beside the machine's description. */
export async function measureSuites(argv: readonly string[]): Promise<void> {
  const names = suites.map(({ name }) => name)
  const only = argv.indexOf('--only')
  const chosen = argv.filter((word, index) => !word.startsWith('--') && index !== only + 1)
  const flags = argv.filter((word) => !chosen.includes(word))
  for (const name of chosen.length > 0 ? chosen : names) await measureSuite(name, flags)
}

async function measureSuite(name: string, flags: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-docs-'))
  try {
    const json = join(folder, 'figures.json')
    const args = ['tools/bench/main.ts', name, ...flags, '--json', json]
    const bench = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    const [output] = await Promise.all([text(bench.stdout), once(bench, 'close')])
    if (bench.exitCode !== 0) throw new Error(`npm run bench -- ${name} ended with ${bench.exitCode}`)
    process.stdout.write(output)
    const cases: unknown = JSON.parse(readFileSync(json, 'utf8'))
    if (!isMeasuredList(cases)) throw new Error(`npm run bench -- ${name} wrote figures of another form`)
    const kept: KeptSuite = {
      suite: name,
      command: ['npm run bench --', name, ...flags].join(' '),
      quick: flags.includes('--quick'),
      machine: output.split('\n')[0] ?? '',
      takenOn: new Date().toISOString().slice(0, 10),
      cases,
    }
    writeFileSync(join(root, 'docs/performance', `${name}.json`), `${JSON.stringify(kept, undefined, 2)}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
