import { dirname } from 'node:path'
import { NotAppliedError } from '../../outcome.ts'
import { hasCode, type FileSystem } from './file-system.ts'

/** Where the next content is written; it becomes the file by rename. */
export const temporaryPath = (path: string): string => `${path}.tmp`

/**
 * Replaces the content of a file, durably and in one step: a crash at any moment leaves the old or the new content.
 * Write, fsync, rename, fsync the folder: fsync(2) makes no promise for the name of a file (ALICE, OSDI '14).
 *
 * Rejects with `NotAppliedError` when the old content stands. Any other rejection comes after the rename was tried:
 * either content may be what a reader sees, and the other one what a crash leaves.
 * Resolves with the milliseconds spent in the two fsyncs.
 */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<number> {
  const temporary = temporaryPath(path)
  let syncMs = 0
  const timed = async (sync: Promise<void>): Promise<void> => {
    const startedMs = performance.now()
    await sync
    syncMs += performance.now() - startedMs
  }
  try {
    const file = await fs.create(temporary)
    try {
      if (Array.isArray(chunks)) await file.write(chunks)
      else for await (const chunk of chunks) await file.write([chunk])
      await timed(file.sync())
    } finally {
      await file.close()
    }
  } catch (error) {
    // A full disk gets its space back.
    await fs.remove(temporary).catch(() => {})
    throw new NotAppliedError(`${path} could not be written: ${describe(error)}`, { cause: error })
  }
  await fs.rename(temporary, path)
  await timed(fs.syncFolder(dirname(path)))
  return syncMs
}

/** Makes what a reader of the file sees now what a crash would leave. */
export async function syncVisible(fs: FileSystem, path: string): Promise<void> {
  await fs.syncFile(path)
  await fs.syncFolder(dirname(path))
}

/** Creates a folder and those above it; each new name is made durable in its parent, or a crash takes all below with it. */
export async function ensureFolder(fs: FileSystem, path: string): Promise<void> {
  const parent = dirname(path)
  let created: boolean
  try {
    created = await fs.createFolder(path)
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || parent === path) throw error
    await ensureFolder(fs, parent)
    created = await fs.createFolder(path)
  }
  if (created) await fs.syncFolder(parent)
}

export const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))
