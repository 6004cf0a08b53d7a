import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Gate } from './gate.ts'
import { describeSelf, nameHolder } from './holder.ts'
import type { KernelLock } from './kernel-lock.ts'
import { refuseLocalOnlyLocks } from './local-only-locks.ts'

export interface AcquireOptions {
  /** Reject with `LockTimeoutError` after this long; default: wait for ever. */
  timeoutMs?: number
  /** Stop waiting; rejects with the signal's reason. */
  signal?: AbortSignal
}

/** A held lock. Releasing twice is harmless. */
export interface HeldLock extends AsyncDisposable {
  readonly path: string
  release(): Promise<void>
}

export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError'
}

/** By device and inode, because two paths may lead to one file. */
const gates = new Map<string, Gate>()

/**
 * An exclusive lock between processes on a file of its own.
 *
 * The kernel keeps it, so it ends with the process, even by SIGKILL, and never while the process lives, even when it
 * is stopped; there is no time-out to guess and nothing stale to take over. The lock file must not be the data file
 * (a rename would replace the locked inode) and is never removed (whoever had opened the old inode would lock that
 * one). Its content names the holder for people.
 *
 * Waiters of one process queue in order; one of them waits in the kernel, without polling.
 * Rejects on file systems whose locks do not reach other machines, where that can be told.
 */
export class FileLock {
  readonly path: string
  #kernel: KernelLock | undefined

  constructor(path: string, { kernel }: { kernel?: KernelLock } = {}) {
    this.path = path
    this.#kernel = kernel
  }

  /** Waits until the lock is held. */
  async acquire({ timeoutMs, signal }: AcquireOptions = {}): Promise<HeldLock> {
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
    const limits = [timeout, signal].filter((limit) => limit !== undefined)
    const limit = limits.length === 0 ? undefined : AbortSignal.any(limits)
    try {
      for (;;) {
        limit?.throwIfAborted()
        const { file, gate } = await this.#open()
        try {
          await gate.turnstile.enter(limit)
        } catch (error) {
          gate.users -= 1
          await file.close()
          throw error
        }
        const held = await this.#finish(gate, gate.lock(file, limit))
        if (held !== undefined) return held
      }
    } catch (error) {
      if (timeout?.aborted !== true || error !== timeout.reason) throw error
      const holder = await nameHolder(this.path)
      throw new LockTimeoutError(`${this.path} was not free within ${timeoutMs} ms: ${holder} holds it`)
    }
  }

  /** The lock, or `undefined` at once when anybody else holds it. */
  async tryAcquire(): Promise<HeldLock | undefined> {
    const { file, gate } = await this.#open()
    if (!gate.turnstile.tryEnter()) {
      gate.users -= 1
      await file.close()
      return undefined
    }
    let locked = false
    try {
      locked = (await this.#loadKernel()).tryLock(file.fd)
    } finally {
      if (!locked) await this.#leave(gate, file)
    }
    return locked ? this.#finish(gate, Promise.resolve(file)) : undefined
  }

  async #loadKernel(): Promise<KernelLock> {
    return (this.#kernel ??= (await import('./fs-native-extensions.ts')).kernelLock)
  }

  async #open(): Promise<{ file: FileHandle; gate: Gate }> {
    const kernel = await this.#loadKernel()
    await refuseLocalOnlyLocks(dirname(this.path))
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o644)
    const { dev, ino } = await file.stat()
    const key = `${dev}:${ino}`
    for (const [other, { idle }] of gates) if (idle) gates.delete(other)
    const gate = gates.get(key) ?? new Gate(kernel)
    gates.set(key, gate)
    gate.users += 1
    return { file, gate }
  }

  /** `undefined` when somebody removed the lock file meanwhile: the lock on the old inode would exclude nobody. */
  async #finish(gate: Gate, granted: Promise<FileHandle>): Promise<HeldLock | undefined> {
    let file: FileHandle
    try {
      file = await granted
    } catch (error) {
      await this.#leave(gate)
      throw error
    }
    const held = this.#held(gate, file)
    try {
      const [mine, current] = await Promise.all([file.stat(), stat(this.path).catch(() => undefined)])
      if (mine.ino === current?.ino && mine.dev === current.dev) {
        await file.truncate(0)
        await file.write(describeSelf(), 0)
        return held
      }
    } catch (error) {
      await held.release()
      throw error
    }
    await held.release()
    return undefined
  }

  #held(gate: Gate, file: FileHandle): HeldLock {
    let released: Promise<void> | undefined
    const release = async (): Promise<void> => {
      await file.truncate(0).catch(() => {})
      this.#kernel?.unlock(file.fd)
      await this.#leave(gate, file)
    }
    const once = (): Promise<void> => (released ??= release())
    return { path: this.path, release: once, [Symbol.asyncDispose]: once }
  }

  async #leave(gate: Gate, file?: FileHandle): Promise<void> {
    gate.users -= 1
    gate.turnstile.leave()
    await file?.close()
  }
}
