/**
 * The three calls that a file lock needs from the operating system, for exclusive locks on whole files.
 *
 * A lock belongs to the *open file description*, as Linux OFD locks and BSD `flock` do: it excludes every other
 * `open` of the same inode, in this process too, and ends with the last descriptor, however the process dies.
 * Classic POSIX locks would not do: closing any other descriptor of the file silently drops them.
 */
export interface KernelLock {
  /** True when the lock is held now. Calling it twice on one descriptor returns true twice: it is no mutex. */
  tryLock(fd: number): boolean
  /**
   * Resolves when the kernel has granted the lock. It cannot be cancelled, and it must not occupy a thread of the
   * libuv pool: four waiters there would stop every file operation of the process.
   */
  waitForLock(fd: number): Promise<void>
  unlock(fd: number): void
}
