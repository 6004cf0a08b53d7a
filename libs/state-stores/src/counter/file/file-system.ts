import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'

/**
 * What a durable file needs of a file system, each step by itself, so that a test can fail or cut off any of them.
 * Nothing is durable before its `sync`: not a file's bytes, and not its name, which belongs to the folder.
 */
export interface FileSystem {
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /** A new, empty file; one that has this name already loses it. */
  create(path: string): Promise<WritableFile>
  /** Replaces `to` in one step. */
  rename(from: string, to: string): Promise<void>
  /** No error when there is no such file. */
  remove(path: string): Promise<void>
  /** False when it exists already; its parent must. */
  createFolder(path: string): Promise<boolean>
  syncFile(path: string): Promise<void>
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>
}

export interface WritableFile {
  write(chunks: readonly Uint8Array[]): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.some((code) => code === error.code)

async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

export const realFileSystem: FileSystem = {
  async read(path) {
    try {
      return await readFile(path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
  },
  async create(path) {
    // A fresh inode each time: after a failed fsync the old one may claim to be clean without being on the disk.
    await rm(path, { force: true })
    const handle = await open(path, 'wx', 0o644)
    return {
      async write(chunks) {
        let total = 0
        for (const chunk of chunks) total += chunk.byteLength
        const { bytesWritten } = await handle.writev(chunks)
        if (bytesWritten !== total) await writeRest(handle, chunks, bytesWritten)
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async createFolder(path) {
    try {
      await mkdir(path)
      return true
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    }
  },
  syncFile: syncPath,
  syncFolder: syncPath,
}

/** A nearly full disk takes a part; asking for the rest brings the error that says why. */
async function writeRest(
  handle: Awaited<ReturnType<typeof open>>,
  chunks: readonly Uint8Array[],
  written: number,
): Promise<void> {
  const rest = Buffer.concat(chunks).subarray(written)
  for (let offset = 0; offset < rest.byteLength;) {
    offset += (await handle.write(rest, offset)).bytesWritten
  }
}
