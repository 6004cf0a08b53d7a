import type { FileHandle } from 'node:fs/promises'
import type { KernelLock } from './kernel-lock.ts'
import { Turnstile } from './turnstile.ts'

interface Claim {
  resolve(file: FileHandle): void
  reject(error: unknown): void
}

/**
 * All users of one lock file in this process. They queue here first, so that one thread per process waits in the
 * kernel, whatever the number of callers.
 *
 * A kernel wait cannot be cancelled. When its caller gives up, it goes on without a claim: the next caller takes it
 * over with its place in the kernel's queue, and if none comes, the grant is given back at once. So callers that
 * time out in a loop never pile up threads.
 */
export class Gate {
  readonly turnstile = new Turnstile()
  /** Callers in, before or through the turnstile. */
  users = 0
  readonly #kernel: KernelLock
  #waiting = false
  #claim: Claim | undefined

  constructor(kernel: KernelLock) {
    this.#kernel = kernel
  }

  get idle(): boolean {
    return this.users === 0 && !this.#waiting
  }

  /**
   * Call only inside the turnstile. Takes over `file`: resolves with the open file that holds the lock, which may be
   * that of an earlier wait; any other is closed.
   */
  async lock(file: FileHandle, signal?: AbortSignal): Promise<FileHandle> {
    if (this.#waiting) await file.close()
    else if (this.#kernel.tryLock(file.fd)) return file
    else this.#wait(file)
    return this.#granted(signal)
  }

  #granted(signal?: AbortSignal): Promise<FileHandle> {
    return new Promise<FileHandle>((resolve, reject) => {
      const giveUp = (): void => {
        this.#claim = undefined
        reject(signal?.reason)
      }
      if (signal?.aborted === true) return giveUp()
      const done = (): void => signal?.removeEventListener('abort', giveUp)
      this.#claim = { resolve: (file) => (done(), resolve(file)), reject: (error) => (done(), reject(error)) }
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #wait(file: FileHandle): void {
    this.#waiting = true
    void this.#kernel.waitForLock(file.fd).then(
      () => {
        const claim = this.#settle()
        if (claim !== undefined) return claim.resolve(file)
        this.#kernel.unlock(file.fd)
        return file.close()
      },
      (error: unknown) => {
        this.#settle()?.reject(error)
        return file.close()
      },
    )
  }

  /** Whether the grant has a taker is decided here, in the one callback in which it arrives. */
  #settle(): Claim | undefined {
    const claim = this.#claim
    this.#waiting = false
    this.#claim = undefined
    return claim
  }
}
