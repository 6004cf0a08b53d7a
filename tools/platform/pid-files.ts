import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { killGroup } from './child.ts'
import { isObject } from './log-record.ts'
import { processIdentity } from './process-identity.ts'

interface PidFile {
  readonly pid: number
  readonly identity: string
}

/**
 * One file per running child, so that the launcher after a killed one finds the orphans. A pid counts only together
 * with the start time of its process: pids are reused, and no stranger may be hit.
 */
export class PidFiles {
  readonly #folder: string

  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'launcher', 'pids')
  }

  async record(name: string, pid: number): Promise<void> {
    const identity = await processIdentity(pid)
    if (identity === undefined) return
    await mkdir(this.#folder, { recursive: true })
    await writeFile(this.#path(name), JSON.stringify({ pid, identity } satisfies PidFile))
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  /** Ends what a killed launcher left behind: SIGTERM, after `graceMs` SIGKILL. Returns the names that were alive. */
  async endOrphans(graceMs: number): Promise<readonly string[]> {
    const files = await readdir(this.#folder).catch(() => [])
    const ended = await Promise.all(files.map((file) => this.#endOrphan(file.replace(/\.json$/, ''), graceMs)))
    return ended.filter((name) => name !== undefined)
  }

  async #endOrphan(name: string, graceMs: number): Promise<string | undefined> {
    const recorded = parse(await readFile(this.#path(name), 'utf8').catch(() => ''))
    const alive = async (): Promise<boolean> =>
      recorded !== undefined && (await processIdentity(recorded.pid)) === recorded.identity
    const wasAlive = await alive()
    for (const [signal, waitMs] of [
      ['SIGTERM', graceMs],
      ['SIGKILL', 5_000],
    ] as const) {
      if (!(await alive())) break
      killGroup(recorded?.pid, signal)
      const deadline = performance.now() + waitMs
      while ((await alive()) && performance.now() < deadline) await delay(20)
    }
    await this.remove(name)
    return wasAlive ? name : undefined
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`)
  }
}

function parse(text: string): PidFile | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || typeof value['pid'] !== 'number' || typeof value['identity'] !== 'string') return undefined
    return { pid: value['pid'], identity: value['identity'] }
  } catch {
    return undefined
  }
}
