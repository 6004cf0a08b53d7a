import { spawn } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** A long-running program of the cluster, with its output in a file; none outlives the ladder, unless that is killed outright. */
export interface Daemon extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** Undefined while it runs. */
  readonly exitCode: number | null | undefined
  /** The last lines of its log. */
  tail(): Promise<string>
}

const living = new Set<number>()
process.once('exit', () => {
  for (const pid of living) process.kill(pid, 'SIGKILL')
})

/** Starts it in a process group of its own: Ctrl-C ends the ladder, which then ends its daemons in order. */
export function startDaemon(name: string, command: readonly string[], logFile: string): Daemon {
  const [program = '', ...args] = command
  const log = openSync(logFile, 'a')
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  let exitCode: number | null | undefined
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      exitCode = code
      resolve()
    })
  })
  child.on('error', () => (exitCode = 127))
  if (child.pid !== undefined) living.add(child.pid)
  child.once('exit', () => child.pid !== undefined && living.delete(child.pid))
  return {
    name,
    pid: child.pid ?? 0,
    get exitCode() {
      return exitCode
    },
    async tail() {
      const text = await readFile(logFile, 'utf8').catch(() => '')
      return text.trimEnd().split('\n').slice(-5).join('\n')
    },
    async [Symbol.asyncDispose]() {
      if (exitCode !== undefined) return
      child.kill('SIGTERM')
      await Promise.race([exited, delay(15_000, undefined, { ref: false })])
      if (exitCode === undefined) child.kill('SIGKILL')
    },
  }
}

/** Asks until the answer is not undefined; fails at once when a daemon ends, with the end of its log. */
export async function waitFor<T>(
  what: string,
  daemons: readonly Daemon[],
  ask: () => Promise<T | undefined>,
  timeoutMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    const ended = daemons.find(({ exitCode }) => exitCode !== undefined)
    if (ended !== undefined) throw new Error(`${ended.name} ended with ${ended.exitCode}: ${await ended.tail()}`)
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs / 1000} s`)
    await delay(100)
  }
}
