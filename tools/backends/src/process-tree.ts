import { run } from './run.ts'

/**
 * A process and all its descendants, zombies left out. PostgreSQL's sessions are processes in groups of their own, so
 * a signal to the server alone, or to its group, would leave them at work.
 */
export async function processTree(root: number): Promise<number[]> {
  const listing = await run('ps', ['-e', '-o', 'pid=,ppid=,stat='])
  const children = new Map<number, number[]>()
  const alive = new Set<number>()
  for (const line of listing.trim().split('\n')) {
    const [pid = '', parent = '', state = ''] = line.trim().split(/\s+/)
    if (state.startsWith('Z')) continue
    alive.add(Number(pid))
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(pid)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree.filter((pid) => alive.has(pid))
}

/** True when none of them runs any more: a stop signal reaches the threads of a busy process one after the other. */
export async function areStopped(pids: readonly number[]): Promise<boolean> {
  // Of numbers that are all gone, `ps -p` would only say that it failed.
  const listing = await run('ps', ['-e', '-o', 'pid=,stat='])
  return listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .every(([pid, state = '']) => !pids.includes(Number(pid)) || /^[TtZ]/.test(state))
}

/** Sends a signal to each; one that is gone meanwhile does not matter. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself.
    }
  }
}
