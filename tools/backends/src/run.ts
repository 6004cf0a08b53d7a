import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

export interface RunOptions {
  readonly cwd?: string
  /** Added to ours. */
  readonly env?: Readonly<Record<string, string>>
  /** It is ended after this long. Default: never. */
  readonly timeoutMs?: number
}

/** Runs a program to its end; rejects with the last line it said when it fails. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { cwd, env, timeoutMs } = options
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      said += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`${command} ended with ${code}: ${lastLine(said)}`))
    })
  })
}

/** Colours left out: Maven ends with a line of nothing else. */
function lastLine(said: string): string {
  const lines = stripVTControlCharacters(said).split('\n')
  return lines.findLast((line) => line.trim() !== '')?.trim() ?? 'no output'
}

/** The program's path when it is on PATH or in one of `folders`. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const searched = [...(process.env['PATH'] ?? '').split(delimiter), ...folders]
  return searched
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
