import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** Who holds a lock file, as he wrote it there. For people only: the kernel alone knows whether the lock is held. */
export interface Holder {
  readonly pid: number
  readonly host: string
}

export function describeSelf(): string {
  return `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`
}

/** `undefined` when the file is missing or empty (nobody holds it) or holds something else. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null || !('pid' in parsed) || !('host' in parsed)) return undefined
    const { pid, host } = parsed
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined
  } catch {
    return undefined
  }
}

/** "process 4711 on web-1", or "another process" when the lock file does not tell. */
export async function nameHolder(path: string): Promise<string> {
  const holder = await readHolder(path)
  return holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
}
