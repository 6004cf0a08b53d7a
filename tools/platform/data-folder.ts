import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FileLock, nameHolder } from '@ballast/locking'
import { reasonOf, StartError } from './start-error.ts'

export interface DataFolder {
  /** Absolute. */
  readonly path: string
  close(): Promise<void>
}

/**
 * Creates the folder, proves that it can be written to, and locks it against a second platform. The lock is the
 * kernel's and ends with the process, so a killed launcher never leaves a stale one.
 */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir)
  const own = join(path, 'launcher')
  const probe = join(own, `.writable-${process.pid}`)
  try {
    await mkdir(own, { recursive: true })
    await writeFile(probe, '')
    await rm(probe)
  } catch (error) {
    throw new StartError(
      `Data folder ${path} cannot be written to (${reasonOf(error)}): choose another with --data-dir.`,
      { cause: error },
    )
  }
  const lockPath = join(own, 'lock')
  const lock = await new FileLock(lockPath).tryAcquire()
  if (lock === undefined) {
    const holder = await nameHolder(lockPath)
    throw new StartError(
      `Data folder ${path} is in use by ${holder}: stop that one, or choose another with --data-dir.`,
    )
  }
  return { path, close: () => lock.release() }
}
