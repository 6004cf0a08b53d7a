import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './markdown.ts'
import type { NodeProgram } from './shell-commands.ts'

/**
 * A child process that runs programs one after the other, as they ask for --help or --print-config only: each is a fresh copy
 * of its main module, on arguments and variables of its own. Answers an outcome for each.
 */
export interface ProgramOutcome {
  readonly code: number
  readonly stderr: string
}

class Exit extends Error {}

if (process.send !== undefined) {
  process.once('message', (programs: readonly NodeProgram[]) => {
    void runAll(programs).then((outcomes) => process.send?.(outcomes, () => process.disconnect()))
  })
}

async function runAll(programs: readonly NodeProgram[]): Promise<ProgramOutcome[]> {
  const outcomes: ProgramOutcome[] = []
  for (const [index, program] of programs.entries()) outcomes.push(await runOne(program, index))
  return outcomes
}

async function runOne({ main, argv, env }: NodeProgram, index: number): Promise<ProgramOutcome> {
  const before = { ...process.env }
  Object.assign(process.env, env)
  process.argv = [process.execPath, join(root, main), ...argv]
  process.exitCode = 0
  let stderr = ''
  process.stdout.write = () => true
  process.stderr.write = (chunk: string | Uint8Array) => {
    stderr += String(chunk)
    return true
  }
  process.exit = (code) => {
    process.exitCode = code ?? 0
    throw new Exit('exit')
  }
  try {
    await import(`${pathToFileURL(join(root, main)).href}?${index}`)
  } catch (error) {
    if (!(error instanceof Exit)) return { code: 1, stderr: String(error) }
  } finally {
    process.env = before
  }
  return { code: process.exitCode, stderr }
}
