import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

export interface Volume {
  readonly path: string
  /** Throws where a file is open for writing that keeps it from becoming read-only. */
  readonly remount: (how: 'ro' | 'rw') => void
}

export const needsRoot = 'no volume can be mounted here: run this as root'

/** A volume of the test's own, in memory, which only root can mount; undefined where that cannot be had. Gone with the test. */
export async function volume(sizeKiB: number): Promise<Volume | undefined> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'volume')
  mkdirSync(path)
  const mount = (...args: string[]): void => void execFileSync('mount', [...args, path], { stdio: 'ignore' })
  try {
    mount('-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs')
  } catch {
    await folder[Symbol.asyncDispose]()
    return undefined
  }
  onTestFinished(async () => {
    execFileSync('umount', ['-l', path])
    await folder[Symbol.asyncDispose]()
  })
  return { path, remount: (how) => mount('-o', `remount,${how}`) }
}
