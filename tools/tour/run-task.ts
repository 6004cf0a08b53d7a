import { spawnChild } from '../platform/child.ts'

export interface TaskResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a one-shot command of an app to its end. */
export async function runTask(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<TaskResult> {
  const lines = { stdout: new Array<string>(), stderr: new Array<string>() }
  const child = spawnChild({ args, env, onLine: (line, from) => void lines[from].push(line) })
  const { code } = await child.exit
  return { code, stdout: lines.stdout.join('\n'), stderr: lines.stderr.join('\n') }
}
