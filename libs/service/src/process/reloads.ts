import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from '../config/config-error.ts'
import { sentence } from './sentence.ts'

const everyMs = 1_000

/** What can be read again while the process runs: on SIGHUP, or when one of its files has changed. */
export class Reloads {
  readonly #reloads = new Map<string, () => unknown>()
  readonly #watched = new Set<string>()
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'error'>

  constructor(log: Pick<FastifyBaseLogger, 'info' | 'error'>) {
    this.#log = log
  }

  add(name: string, reload: () => unknown): void {
    this.#reloads.set(name, reload)
  }

  /**
   * Polls by stat, because Kubernetes swaps a symbolic link two directories up when a secret changes, which file
   * system events on the file do not see.
   */
  watch(name: string, paths: readonly string[], reload: () => unknown): void {
    this.add(name, reload)
    for (const path of paths) {
      this.#watched.add(path)
      watchFile(path, { interval: everyMs, persistent: false }, (now, before) => {
        if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) void this.#run(name, reload)
      })
    }
  }

  async all(): Promise<void> {
    for (const [name, reload] of this.#reloads) await this.#run(name, reload)
  }

  close(): void {
    for (const path of this.#watched) unwatchFile(path)
  }

  async #run(name: string, reload: () => unknown): Promise<void> {
    try {
      await reload()
      this.#log.info({ what: name }, `reloaded ${name}`)
    } catch (error) {
      this.#log.error({ err: error, what: name }, `kept the old ${name}: ${sentence(error)}`)
    }
  }
}

/** Throws ConfigError that names the flag. */
export function readText(path: string, flag: string): string {
  return readBytes(path, flag).toString('utf8')
}

export function readBytes(path: string, flag: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`${flag} ${path} cannot be read: ${sentence(error)}`)
  }
}
