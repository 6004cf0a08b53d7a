import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { waitUntil } from './wait-until.ts'

export interface ProcessOptions {
  command?: string
  args: readonly string[]
  /** Added to the parent's environment; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface TestProcess extends AsyncDisposable {
  readonly pid: number
  /** Complete lines seen so far. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly exit: Promise<Exit>
  kill(signal?: NodeJS.Signals): void
  /** The first line of stdout or stderr, past or future, that matches; fails at once when the process ends without it. */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>
}

/** Starts a real process for a test; it is killed with SIGKILL when the `await using` scope ends. */
export function startProcess({ command = process.execPath, args, env = {}, cwd }: ProcessOptions): TestProcess {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stdout: string[] = []
  const stderr: string[] = []
  createInterface(child.stdout).on('line', (line) => stdout.push(line))
  createInterface(child.stderr).on('line', (line) => stderr.push(line))
  let ended: Exit | undefined
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      ended = { code, signal }
      resolve(ended)
    })
  })
  // A process that could not be spawned fails the test that awaits `exit`, not the whole run.
  exit.catch(() => {})
  return {
    pid: child.pid ?? -1,
    stdout,
    stderr,
    exit,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    async waitForLine(pattern, timeoutMs = 60_000) {
      const found = await waitUntil(
        () => {
          const line = [...stdout, ...stderr].find((text) => pattern.test(text))
          return line === undefined ? ended && { ended } : { line }
        },
        { timeoutMs, what: `a line that matches ${pattern}; got:\n${[...stdout, ...stderr].join('\n')}` },
      )
      if ('line' in found) return found.line
      throw new Error(
        `exited (${JSON.stringify(found.ended)}) without ${pattern}:\n${[...stdout, ...stderr].join('\n')}`,
      )
    },
    async [Symbol.asyncDispose]() {
      if (ended === undefined) child.kill('SIGKILL')
      await exit.catch(() => {})
    },
  }
}
