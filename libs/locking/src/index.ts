export {
  FileLock,
  LockTimeoutError,
  type AcquireOptions,
  type FileLockObserver,
  type FileLockOptions,
  type HeldLock,
} from './file-lock.ts'
export { nameHolder, readHolder, type Holder } from './holder.ts'
export type { KernelLock } from './kernel-lock.ts'
export { loadKernelLock, loadKernelLockNamed, type KernelLockName } from './load-kernel-lock.ts'
export { refuseLocalOnlyLocks, type MountInspector } from './local-only-locks.ts'
