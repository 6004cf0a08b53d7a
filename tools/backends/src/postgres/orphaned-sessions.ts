import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { signalAll } from '../process-tree.ts'

/**
 * Ends the server processes that a killed postmaster left behind: as long as one of them holds the shared memory, the next postmaster
 * refuses to start ("pre-existing shared memory block is still in use"). They end by themselves when they next wait for something, one
 * that is busy with a statement only after it; SIGQUIT ends them at once, and SIGKILL one that does not listen. What had committed is in
 * the write-ahead log, which the next start replays. On Linux only; elsewhere the start has to be tried until they are gone.
 */
export async function endSessionsWithoutPostmaster(cluster: string): Promise<void> {
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    signalAll(sessionsWithoutPostmaster(cluster), signal)
    const deadline = performance.now() + 5_000
    while (sessionsWithoutPostmaster(cluster).length > 0 && performance.now() < deadline) await delay(10)
  }
  const left = sessionsWithoutPostmaster(cluster)
  if (left.length > 0) {
    throw new Error(`processes ${left.join()} of an earlier PostgreSQL on ${cluster} do not end; end them by hand`)
  }
}

function sessionsWithoutPostmaster(cluster: string): number[] {
  if (process.platform !== 'linux') return []
  const pids = readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
  return pids.filter((pid) => isServerProcess(pid, cluster) && !worksIn(parentOf(pid), cluster))
}

/** One that a postmaster forked: it shows what it does in place of its arguments. A shell that stands in the folder is none. */
function isServerProcess(pid: number, cluster: string): boolean {
  return worksIn(pid, cluster) && read(`/proc/${pid}/cmdline`).startsWith('postgres:')
}

function worksIn(pid: number, cluster: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === cluster
  } catch {
    return false
  }
}

/** 0 when it has ended. */
function parentOf(pid: number): number {
  return Number(/^\d+ \(.*\) \S (\d+)/s.exec(read(`/proc/${pid}/stat`))?.[1] ?? 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
