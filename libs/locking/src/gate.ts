import type { FileHandle } from 'node:fs/promises'
import type { KernelLock } from './kernel-lock.ts'
import { Turnstile } from './turnstile.ts'

interface Claim {
  resolve(file: FileHandle): void
  reject(error: unknown): void
}

interface Wait {
  /** Device and inode of the file that is waited for. */
  readonly inode: string
  /** Who gets the grant; nobody when its caller has given up. */
  claim: Claim | undefined
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
  /** Callers before or through the turnstile. */
  users = 0
  #wait: Wait | undefined

  get idle(): boolean {
    return this.users === 0 && this.#wait === undefined
  }

  /**
   * Call only inside the turnstile. Takes over `file`: resolves with the open file that holds the lock, which may be
   * that of an earlier wait; any other is closed.
   */
  async lock(kernel: KernelLock, file: FileHandle, signal?: AbortSignal): Promise<FileHandle> {
    const inode = await identify(file)
    if (this.#wait?.inode === inode) {
      // The claim is staked before anything is awaited: a grant that finds none is given back.
      const [granted] = await Promise.all([claim(this.#wait, signal), file.close()])
      return granted
    }
    return tryLock(kernel, file) ? file : claim(this.#start(kernel, file, inode), signal)
  }

  #start(kernel: KernelLock, file: FileHandle, inode: string): Wait {
    const wait: Wait = { inode, claim: undefined }
    this.#wait = wait
    const settle = (): Claim | undefined => {
      if (this.#wait === wait) this.#wait = undefined
      return wait.claim
    }
    void kernel.waitForLock(file.fd).then(
      () => {
        const taker = settle()
        if (taker !== undefined) return taker.resolve(file)
        kernel.unlock(file.fd)
        return file.close()
      },
      (error: unknown) => {
        settle()?.reject(error)
        return file.close()
      },
    )
    return wait
  }
}

/** Resolves with the grant, unless the signal comes first; then the wait is free for another claim. */
function claim(wait: Wait, signal: AbortSignal | undefined): Promise<FileHandle> {
  return new Promise<FileHandle>((resolve, reject) => {
    const giveUp = (): void => {
      wait.claim = undefined
      reject(signal?.reason)
    }
    if (signal?.aborted === true) return giveUp()
    const done = (): void => signal?.removeEventListener('abort', giveUp)
    wait.claim = {
      resolve: (file) => (done(), resolve(file)),
      reject: (error) => (done(), reject(error)),
    }
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

/** Closes the file when the lock is refused for another reason than being held. */
export function tryLock(kernel: KernelLock, file: FileHandle): boolean {
  try {
    return kernel.tryLock(file.fd)
  } catch (error) {
    void file.close()
    throw error
  }
}

export async function identify(file: FileHandle): Promise<string> {
  const { dev, ino } = await file.stat()
  return `${dev}:${ino}`
}
