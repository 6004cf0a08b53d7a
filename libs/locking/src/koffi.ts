import koffi from 'koffi'
import { setTimeout as delay } from 'node:timers/promises'
import type { KernelLock } from './kernel-lock.ts'

// <fcntl.h> of Linux; the same on every 64-bit architecture and for glibc and musl.
const setLock = 37 // F_OFD_SETLK
const writeLock = 1 // F_WRLCK
const noLock = 2 // F_UNLCK
const [tryAgain, accessDenied, interrupted] = [11, 13, 4]

const firstPauseMs = 1
const longestPauseMs = 5

/**
 * The same OFD locks by calling `fcntl` of the C library directly, for systems where fs-native-extensions has no binary
 * (Alpine and others on musl): both kinds exclude each other.
 *
 * It waits by trying again, after 1 to 5 ms: a blocking call would need a thread that cannot be ended. So a process that
 * uses this one gets the lock later than others that wait in the kernel; among themselves they are about even.
 */
export function openKoffiLock(): KernelLock {
  if (process.platform !== 'linux' || !['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch)) {
    throw new Error(`file locks by koffi are for 64-bit Linux, not for ${process.platform} on ${process.arch}`)
  }
  const range = koffi.struct({
    type: 'int16',
    whence: 'int16',
    start: 'int64',
    length: 'int64',
    pid: 'int32',
  })
  const fcntl: unknown = koffi.load(null).func('int fcntl(int fd, int command, ...)')
  if (typeof fcntl !== 'function') throw new TypeError('koffi did not give a function for fcntl')

  /** 0 or the error number. A length of 0 is the whole file, however long it becomes. */
  const set = (fd: number, type: number): number => {
    const whole = { type, whence: 0, start: 0, length: 0, pid: 0 }
    for (;;) {
      if (fcntl(fd, setLock, koffi.pointer(range), whole) === 0) return 0
      const error = koffi.errno()
      if (error !== interrupted) return error
    }
  }
  const tryLock = (fd: number): boolean => {
    const error = set(fd, writeLock)
    if (error === 0) return true
    if (error === tryAgain || error === accessDenied) return false
    throw new Error(`fcntl(F_OFD_SETLK) failed with error number ${error}`)
  }
  return {
    tryLock,
    async waitForLock(fd) {
      for (let pauseMs = firstPauseMs; !tryLock(fd); pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
        await delay(pauseMs)
      }
    },
    unlock(fd) {
      const error = set(fd, noLock)
      if (error !== 0) throw new Error(`fcntl(F_OFD_SETLK) failed to unlock with error number ${error}`)
    },
  }
}
