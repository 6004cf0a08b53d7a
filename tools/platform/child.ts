import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onLine: (line: string, from: 'stdout' | 'stderr') => void
}

export interface Child {
  /** Undefined when the process could not be spawned. */
  readonly pid: number | undefined
  /** Settles when the process is gone and its last line was delivered; never rejects. */
  readonly exit: Promise<ChildExit>
  kill(signal: NodeJS.Signals): void
}

/**
 * A node process that leads its own process group: a Ctrl-C in the terminal reaches the launcher only, which then
 * stops its children in the right order, and one signal reaches everything that a child started itself.
 */
export function spawnChild({ args, env, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  createInterface(child.stdout).on('line', (line) => onLine(line, 'stdout'))
  createInterface(child.stderr).on('line', (line) => onLine(line, 'stderr'))
  const exit = new Promise<ChildExit>((resolve) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      onLine(`cannot start ${args.join(' ')}: ${error.message}`, 'stderr')
      resolve({ code: 127, signal: null })
    })
    child.once('exit', (code, signal) => {
      // 'close' comes when the last line was read. A grandchild that holds the pipe open must not delay it for ever.
      const late = setTimeout(resolve, 250, { code, signal })
      child.once('close', () => {
        clearTimeout(late)
        resolve({ code, signal })
      })
    })
  })
  return { pid: child.pid, exit, kill: (signal) => killGroup(child.pid, signal) }
}

/** Signals the whole group that `pid` leads; a group that is gone already is fine. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
