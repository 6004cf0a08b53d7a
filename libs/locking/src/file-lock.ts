import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Gate, identify, tryLock } from './gate.ts'
import { describeSelf, nameHolder } from './holder.ts'
import type { KernelLock } from './kernel-lock.ts'
import { loadKernelLock } from './load-kernel-lock.ts'
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

/** Told how long callers waited and held; called synchronously, and must not throw. */
export interface FileLockObserver {
  onAcquired?(acquired: { readonly path: string; readonly waitedMs: number }): void
  /** `acquire` only: time-out, abort or error. */
  onGivenUp?(givenUp: { readonly path: string; readonly waitedMs: number }): void
  onReleased?(released: { readonly path: string; readonly heldMs: number }): void
}

export interface FileLockOptions {
  /** Default: fs-native-extensions, or koffi where that does not load. */
  readonly kernel?: KernelLock
  readonly observer?: FileLockObserver
}

export class LockTimeoutError extends Error {
  override readonly name = 'LockTimeoutError'
}

const gates = new Map<string, Gate>()

/**
 * An exclusive lock between processes on a file of its own.
 *
 * The kernel keeps it, so it ends with the process, even by SIGKILL, and never while the process lives, even when it
 * is stopped; there is no time-out to guess and nothing stale to take over. The lock file must not be the data file
 * (a rename would replace the locked inode) and is never removed (whoever had opened the old inode would lock that
 * one). Its content names the holder for people.
 *
 * Callers of one process are served in the order of their calls; one of them waits in the kernel, without polling, so
 * that processes which take the lock in a loop get about the same share of it.
 * Held for life it makes a process the only one of its kind on a folder (`exclusive`), taken for each batch it lets
 * several take turns (`shared`).
 * Rejects on file systems whose locks do not reach other machines, where that can be told.
 */
export class FileLock {
  readonly path: string
  #kernel: KernelLock | undefined
  readonly #observer: FileLockObserver

  constructor(path: string, { kernel, observer = {} }: FileLockOptions = {}) {
    this.path = resolve(path)
    this.#kernel = kernel
    this.#observer = observer
  }

  /** Waits until the lock is held. */
  async acquire({ timeoutMs, signal }: AcquireOptions = {}): Promise<HeldLock> {
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(Math.ceil(timeoutMs))
    const limits = [timeout, signal].filter((limit) => limit !== undefined)
    const calledAtMs = performance.now()
    try {
      return await this.#acquire(limits.length === 0 ? undefined : AbortSignal.any(limits), calledAtMs)
    } catch (error) {
      this.#observer.onGivenUp?.({ path: this.path, waitedMs: performance.now() - calledAtMs })
      if (timeout?.aborted !== true || error !== timeout.reason) throw error
      const holder = await nameHolder(this.path)
      throw new LockTimeoutError(`${this.path} was not free within ${timeoutMs} ms: ${holder} holds it`)
    }
  }

  /** The lock, or `undefined` at once when anybody else holds it. */
  async tryAcquire(): Promise<HeldLock | undefined> {
    const calledAtMs = performance.now()
    const gate = this.#gate()
    if (!gate.turnstile.tryEnter()) return undefined
    gate.users += 1
    try {
      const kernel = await this.#loadKernel()
      for (;;) {
        const file = await this.#open()
        if (!tryLock(kernel, file)) {
          await file.close()
          break
        }
        if (await this.#isCurrent(file)) return await this.#hold(gate, kernel, file, calledAtMs)
        await file.close()
      }
    } catch (error) {
      leave(gate)
      throw error
    }
    leave(gate)
    return undefined
  }

  async #acquire(limit: AbortSignal | undefined, calledAtMs: number): Promise<HeldLock> {
    const gate = this.#gate()
    gate.users += 1
    // The first thing that is awaited, so that the order of calls is the order of the queue.
    await gate.turnstile.enter(limit).catch((error: unknown) => {
      gate.users -= 1
      throw error
    })
    try {
      const kernel = await this.#loadKernel()
      for (;;) {
        limit?.throwIfAborted()
        const file = await gate.lock(kernel, await this.#open(), limit)
        if (await this.#isCurrent(file)) return await this.#hold(gate, kernel, file, calledAtMs)
        await file.close()
      }
    } catch (error) {
      leave(gate)
      throw error
    }
  }

  #gate(): Gate {
    for (const [path, { idle }] of gates) if (idle) gates.delete(path)
    const gate = gates.get(this.path) ?? new Gate()
    gates.set(this.path, gate)
    return gate
  }

  async #loadKernel(): Promise<KernelLock> {
    return (this.#kernel ??= await loadKernelLock())
  }

  async #open(): Promise<FileHandle> {
    await refuseLocalOnlyLocks(dirname(this.path))
    return open(this.path, constants.O_RDWR | constants.O_CREAT, 0o644)
  }

  /** False when somebody removed the lock file meanwhile: the lock on the old inode would exclude nobody. */
  async #isCurrent(file: FileHandle): Promise<boolean> {
    const current = await stat(this.path).catch(() => undefined)
    return current !== undefined && (await identify(file)) === `${current.dev}:${current.ino}`
  }

  async #hold(gate: Gate, kernel: KernelLock, file: FileHandle, calledAtMs: number): Promise<HeldLock> {
    // For people only: on a full disk the lock is as good without it.
    await file
      .truncate(0)
      .then(() => file.write(describeSelf(), 0))
      .catch(() => {})
    const acquiredAtMs = performance.now()
    this.#observer.onAcquired?.({ path: this.path, waitedMs: acquiredAtMs - calledAtMs })
    let released: Promise<void> | undefined
    const release = async (): Promise<void> => {
      await file.truncate(0).catch(() => {})
      kernel.unlock(file.fd)
      this.#observer.onReleased?.({ path: this.path, heldMs: performance.now() - acquiredAtMs })
      leave(gate)
      await file.close()
    }
    const once = (): Promise<void> => (released ??= release())
    return { path: this.path, release: once, [Symbol.asyncDispose]: once }
  }
}

function leave(gate: Gate): void {
  gate.users -= 1
  gate.turnstile.leave()
}
