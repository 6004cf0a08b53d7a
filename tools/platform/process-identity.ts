import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * Tells one process from a later one that got the same pid: start time in clock ticks since boot, and the boot.
 * Undefined when there is no such process (or it is a zombie, which nobody can signal any more).
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  return process.platform === 'linux' ? linuxIdentity(pid) : psIdentity(pid)
}

async function linuxIdentity(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The command in parentheses may hold spaces and parentheses itself; the fields count from behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A process is a zombie as soon as its first thread has ended; while others are still ending, its ports are taken.
    const [state, threads] = [fields[0], Number(fields[17])]
    if (state === 'X' || (state === 'Z' && threads <= 1)) return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()}/${fields[19]}`
  } catch {
    return undefined
  }
}

async function psIdentity(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=,command=', '-p', String(pid)])
    return stdout.trim() || undefined
  } catch {
    return undefined
  }
}
