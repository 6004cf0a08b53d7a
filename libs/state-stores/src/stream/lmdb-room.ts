import { statfs } from 'node:fs/promises'
import type { LmdbEnvironment, LmdbTable } from '../lmdb-environment.ts'
import { NotAppliedError } from '../outcome.ts'
import type { Entry } from './port.ts'

/** With less free space on the disk an append may fail any time. */
const scarceBytes = 64 * 2 ** 20
const tryEveryMs = 1000

type Environment = Pick<LmdbEnvironment, 'path' | 'table' | 'transact'>

export interface LmdbRoomOptions {
  readonly environment: Environment
  /** Largest body of one entry. */
  readonly maxEntryBytes: number
  /** Monotonic, in ms. */
  readonly now: () => number
  /** Others append: there is always doubt. */
  readonly watchesOthers?: boolean
  /** Of the disk; injected by tests. */
  readonly freeBytes?: () => Promise<number>
}

/**
 * Whether an append would find room. LMDB uses the pages of removed entries again, so neither a full disk nor free space on it
 * tells: when in doubt (an append failed, the disk is nearly full, or only others append, who may have quotas) one like it, and a full entry more, is tried, synced, and
 * taken back. That small appends still fit into the last free pages does not end a doubt.
 */
export class LmdbRoom {
  readonly #options: LmdbRoomOptions
  readonly #table: LmdbTable
  /** Sizes in the append that failed last; nothing once one like it was tried with success. */
  #failed: readonly number[] | undefined
  #triedMs = -Infinity
  #outcome: Promise<void> = Promise.resolve()

  constructor(options: LmdbRoomOptions) {
    this.#options = options
    // Now: a table cannot be made on a full disk.
    this.#table = options.environment.table('room')
  }

  /** Looks on while entries are appended. */
  async watch<T>(entries: readonly Entry[], appending: Promise<T>): Promise<T> {
    try {
      return await appending
    } catch (error) {
      if (error instanceof NotAppliedError) {
        this.#failed = entries.map(({ body }) => body.byteLength)
        this.#triedMs = -Infinity
      }
      throw error
    }
  }

  /** Rejects with what is wrong. Cost: two commits, at most once a second, and only when in doubt. */
  async check(): Promise<void> {
    const { maxEntryBytes, now, watchesOthers = false } = this.#options
    const failed = this.#failed
    if (!watchesOthers && failed === undefined && (await this.#freeBytes()) >= scarceBytes) return
    if (now() - this.#triedMs >= tryEveryMs) {
      this.#triedMs = now()
      this.#outcome = this.#attempt([...(failed ?? []), maxEntryBytes])
    }
    await this.#outcome
    if (this.#failed === failed) this.#failed = undefined
  }

  #freeBytes(): Promise<number> {
    const { environment, freeBytes } = this.#options
    return freeBytes?.() ?? statfs(environment.path).then(({ bavail, bsize }) => bavail * bsize)
  }

  async #attempt(sizes: readonly number[]): Promise<void> {
    const { environment } = this.#options
    const values = sizes.map((size, index) => ({ key: Buffer.from(String(index)), value: Buffer.alloc(size) }))
    await environment.transact(() => values.forEach(({ key, value }) => this.#table.put(key, value)))
    await environment.transact(() => values.forEach(({ key }) => this.#table.remove(key)))
  }
}
