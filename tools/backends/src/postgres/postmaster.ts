import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '@ballast/testing'
import { endSessionsWithoutPostmaster } from './orphaned-sessions.ts'

const ownerFile = (folder: string) => join(folder, 'launcher.pid')

/** Notes that this process owns the database about to be started in `folder`. */
export function claimOwnership(folder: string): void {
  writeFileSync(ownerFile(folder), `${process.pid}\n`)
}

export function dropOwnership(folder: string): void {
  rmSync(ownerFile(folder), { force: true })
}

/**
 * Ends the PostgreSQL that a launcher left behind when it was killed. A database whose launcher is still there (it is
 * the parent of the postmaster) is not ours to end: that is an error.
 */
export async function endOrphan(folder: string, cluster: string): Promise<void> {
  const pid = firstNumber(join(cluster, 'postmaster.pid'))
  if (pid === undefined || !isPostmasterOf(pid, cluster)) return endSessionsWithoutPostmaster(cluster)
  const owner = firstNumber(ownerFile(folder))
  if (owner !== undefined && parentOf(pid) === owner) {
    throw new Error(`${folder} is in use by process ${owner}; stop that one, or choose another data folder`)
  }
  if (!(await endPostmaster(pid, () => !isAlive(pid)))) {
    throw new Error(`the PostgreSQL ${pid} that an earlier run left in ${folder} does not stop; end it by hand`)
  }
}

/**
 * Fast shutdown (SIGINT: sessions are ended, a checkpoint is written), then an immediate one if that takes too long:
 * the write-ahead log makes it safe, the next start replays it.
 */
export async function endPostmaster(pid: number, hasEnded: () => boolean): Promise<boolean> {
  for (const [signal, patienceMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    if (!hasEnded()) process.kill(pid, signal)
    const deadline = performance.now() + patienceMs
    while (!hasEnded() && performance.now() < deadline) await delay(10)
  }
  return hasEnded()
}

/** A pid file outlives a power cut, and pids are reused: the process must be a postmaster that works in this folder. */
function isPostmasterOf(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === cluster
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(cluster)
  } catch {
    return false
  }
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).trim())
}

function firstNumber(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  const value = Number.parseInt(readFileSync(path, 'utf8'), 10)
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}
