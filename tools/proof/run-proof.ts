import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describeFlags, parseCommandLine, UsageError } from '../platform/command-line.ts'
import type { Proof } from './proof.ts'

const flags = { help: { kind: 'switch', help: 'show this text' } } as const
const root = fileURLToPath(new URL('../..', import.meta.url))

export interface RunProofOptions {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly proofs: readonly Proof[]
  readonly print: (line: string) => void
}

/** Returns the exit code of the test run: 0 proved, 1 failed. */
export async function runProof({ argv, env, proofs, print }: RunProofOptions): Promise<number> {
  const { flags: given, words } = parseCommandLine(argv, flags, 1)
  const [name] = words
  if (given.help || name === undefined) {
    print(proofHelp(proofs))
    return given.help ? 0 : 2
  }
  const proof = proofs.find((candidate) => candidate.name === name)
  if (proof === undefined) throw new UsageError(`There is no proof "${name}"; --help lists them.`)
  const { project, file, only, timeoutMs, shows, takes } = proof
  print(`${name}: ${shows} (takes ${takes})`)
  // The verbose reporter shows what tests annotate: the figures.
  const chosen = only === undefined ? [] : ['-t', only]
  const child = spawn('vitest', ['run', file, ...chosen, `--testTimeout=${timeoutMs}`, '--reporter=verbose'], {
    cwd: `${root}/${project}`,
    // What the caller sets wins, so that a proof can be made longer or shorter.
    env: { ...proof.env, ...env },
    stdio: 'inherit',
  })
  const [code]: unknown[] = await once(child, 'exit')
  return code === 0 ? 0 : 1
}

function proofHelp(proofs: readonly Proof[]): string {
  const width = Math.max(0, ...proofs.map(({ name }) => name.length))
  const rows = proofs.map(({ name, shows, takes, env }) => {
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`)
    return `  ${name.padEnd(width)}   ${takes.padEnd(10)} ${shows}\n  ${' '.repeat(width)}   ${' '.repeat(10)} ${variables.join(' ')}`
  })
  return `Usage: npm run proof -- <name>

Long versions of tests that npm test runs short; the variables are their parameters and can be set by you.

Proofs
${rows.join('\n')}

Flags
${describeFlags(flags)}`
}
