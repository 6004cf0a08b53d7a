import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { FileLock, type HeldLock } from '@ballast/locking'
import { syncFolder } from '../../lmdb-folder.ts'
import { NotAppliedError } from '../../outcome.ts'
import type { Released } from './catalog.ts'
import { Incoming } from './incoming.ts'

/**
 * The large blobs, one file each:
 *
 *     incoming/<instance>.lock              held while the process lives; made before and removed after the folder
 *     incoming/<instance>/<number>          still arriving
 *     files/<2 hex>/<digest>-<generation>   complete and synced; counts only once a record names it
 *     damaged/<digest>-<generation>         set aside
 *
 * A generation is the instance that wrote the file (16 hex digits, random per start) and a number (8). Because each put
 * makes its own file, unlinking one after a remove cannot hit the bytes that a concurrent put has acknowledged.
 */
export class BlobFiles {
  readonly #root: string
  readonly #instance: string
  /** Or why nothing can be written. */
  readonly #lock: HeldLock | Error
  readonly #folders = new Set<string>()
  #next = 0

  private constructor(root: string, instance: string, lock: HeldLock | Error) {
    this.#root = root
    this.#instance = instance
    this.#lock = lock
  }

  static async open(root: string): Promise<BlobFiles> {
    for (const name of ['incoming', 'files', 'damaged']) await mkdir(join(root, name), { recursive: true })
    const instance = randomBytes(8).toString('hex')
    // First the lock: a folder without a held lock is taken for that of a dead process.
    const lock = await new FileLock(join(root, 'incoming', `${instance}.lock`)).acquire()
    await mkdir(join(root, 'incoming', instance))
    await syncFolder(root)
    return new BlobFiles(root, instance, lock)
  }

  /** Only `read` and `exists` work. */
  static readOnly(root: string, why: Error): BlobFiles {
    return new BlobFiles(root, '', why)
  }

  async receive(): Promise<Incoming> {
    if (this.#lock instanceof Error) throw new NotAppliedError(this.#lock.message, { cause: this.#lock })
    const number = (this.#next++ >>> 0).toString(16).padStart(8, '0')
    const path = join(this.#root, 'incoming', this.#instance, number)
    const file = await open(path, 'wx').catch((cause: unknown) => {
      throw new NotAppliedError(`${path} could not be made`, { cause })
    })
    return new Incoming(path, this.#instance + number, file, (published) => this.#publish(path, published))
  }

  /** Undefined when there is no such file. */
  async read(file: Released): Promise<FileHandle | undefined> {
    try {
      return await open(this.#path(file), 'r')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Synchronous, for use inside a write transaction. */
  exists(file: Released): boolean {
    return existsSync(this.#path(file))
  }

  /** Synchronous, for use inside a write transaction. */
  unlinkSync(file: Released): void {
    rmSync(this.#path(file), { force: true })
  }

  /**
   * Never fails: what is unlinked is named by no record, so nothing that was committed depends on it, and a file that
   * stays is removed by a sweep after this process has ended.
   */
  async unlink(file: Released): Promise<void> {
    await rm(this.#path(file), { force: true }).catch(() => {})
  }

  async setAside(file: Released): Promise<void> {
    try {
      await rename(this.#path(file), join(this.#root, 'damaged', nameOf(file)))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /**
   * Removes what dead processes left: their incoming files, and files that they renamed into place without living to
   * record them. Their lock tells that they are dead; `forget` unlinks the files that no record names, inside a write
   * transaction. Since a process that records a file looks inside its own transaction whether the file is there, even
   * a wrong verdict about who lives could not lose acknowledged bytes.
   */
  async sweep(forget: (files: readonly Released[]) => Promise<void>): Promise<void> {
    const dead = new Map<string, boolean>([[this.#instance, false]])
    // Asked after a file was seen, so that a process that has just started is known by its lock.
    const isDead = async (instance: string): Promise<boolean> => {
      const verdict = dead.get(instance) ?? (await this.#bury(instance))
      dead.set(instance, verdict)
      return verdict
    }
    for (const name of await readdir(join(this.#root, 'incoming'))) {
      const instance = /^([0-9a-f]{16})(\.lock)?$/.exec(name)?.[1]
      if (instance !== undefined) await isDead(instance)
    }
    for (const folder of await readdir(join(this.#root, 'files'))) {
      const orphans: Released[] = []
      for (const name of await readdir(join(this.#root, 'files', folder))) {
        const [, digest, generation, instance] = /^([0-9a-f]{64})-(([0-9a-f]{16})[0-9a-f]{8})$/.exec(name) ?? []
        if (digest === undefined || generation === undefined || instance === undefined) continue
        if (await isDead(instance)) orphans.push({ digest, generation })
      }
      if (orphans.length > 0) await forget(orphans)
    }
  }

  async close(): Promise<void> {
    if (this.#lock instanceof Error) return
    await this.#remove(this.#instance)
    await this.#lock.release()
  }

  /** True when the process is dead; then its incoming files are gone. */
  async #bury(instance: string): Promise<boolean> {
    await using lock = await new FileLock(join(this.#root, 'incoming', `${instance}.lock`)).tryAcquire()
    if (lock !== undefined) await this.#remove(instance)
    return lock !== undefined
  }

  /** Under its lock. Whoever waits for the lock meanwhile sees that the file has gone, and makes a new one. */
  async #remove(instance: string): Promise<void> {
    await rm(join(this.#root, 'incoming', instance), { recursive: true, force: true })
    await rm(join(this.#root, 'incoming', `${instance}.lock`), { force: true })
  }

  async #publish(from: string, file: Released): Promise<void> {
    const folder = join(this.#root, 'files', file.digest.slice(0, 2))
    if (!this.#folders.has(folder)) {
      await mkdir(folder, { recursive: true })
      await syncFolder(join(this.#root, 'files'))
      this.#folders.add(folder)
    }
    await rename(from, this.#path(file))
    await syncFolder(folder)
  }

  #path(file: Released): string {
    return join(this.#root, 'files', file.digest.slice(0, 2), nameOf(file))
  }
}

function nameOf({ digest, generation }: Released): string {
  return `${digest}-${generation}`
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
