// oxlint-disable-next-line typescript/triple-slash-reference -- the package has no types, and every program that includes this file needs ours
/// <reference path="./fs-native-extensions.d.ts" />
import { tryLock, unlock, waitForLock } from 'fs-native-extensions'
import type { KernelLock } from './kernel-lock.ts'

/** OFD locks (`fcntl(F_OFD_SETLK)`) on Linux, `flock` on macOS; one thread per wait, prebuilt for glibc. */
export const kernelLock: KernelLock = {
  tryLock: (fd) => tryLock(fd),
  waitForLock: (fd) => waitForLock(fd),
  unlock,
}
