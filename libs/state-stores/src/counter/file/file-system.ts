import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'

/**
 * What a durable file needs of a file system, each step by itself, so that a test can fail or cut off any of them.
 * Nothing is durable before its `sync`: not a file's bytes, and not its name, which belongs to the folder.
 */
export interface FileSystem {
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /** A new, empty file; one that has this name already loses it. */
  create(path: string): Promise<WritableFile>
  /** The file as it is, made where it is missing; what is written begins at its start. */
  open(path: string): Promise<WritableFile>
  /** Names in a folder; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>
  /** Another text after each replacement of the file; `undefined` when there is none. */
  identity(path: string): Promise<string | undefined>
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
  /** Behind what was written before. After a failure it is uncertain what is there: `truncate`. */
  write(chunks: readonly Uint8Array[]): Promise<void>
  /** Cuts the file off here; the next write goes behind it. */
  truncate(lengthBytes: number): Promise<void>
  sync(): Promise<void>
  /** The bytes and the length, not the times of change: what a log needs. */
  syncData(): Promise<void>
  close(): Promise<void>
}

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.some((code) => code === error.code)

async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

/**
 * Linux before 6.13 stamps files with the time of the last tick, 1 to 10 ms ago, and a freed inode is used again at once: two
 * contents in one tick could look alike. So a file that was changed just now is another one at every look.
 */
const clockTickMs = 20
let looks = 0

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
    return writable(await open(path, 'wx', 0o644))
  },
  open: async (path) => writable(await open(path, constants.O_RDWR | constants.O_CREAT, 0o644)),
  async list(folder) {
    try {
      return await readdir(folder)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    }
  },
  async identity(path) {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
      const isSettled = Math.abs(Date.now() - Number(ctimeNs / 1_000_000n)) > clockTickMs
      return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}${isSettled ? '' : `:${looks++}`}`
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
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

function writable(handle: FileHandle): WritableFile {
  let end = 0
  return {
    async write(chunks) {
      let total = 0
      for (const chunk of chunks) total += chunk.byteLength
      const { bytesWritten } = await handle.writev(chunks, end)
      if (bytesWritten !== total) await writeRest(handle, chunks, bytesWritten, end)
      end += total
    },
    async truncate(lengthBytes) {
      await handle.truncate(lengthBytes)
      end = lengthBytes
    },
    sync: () => handle.sync(),
    syncData: () => handle.datasync(),
    close: () => handle.close(),
  }
}

/** A nearly full disk takes a part; asking for the rest brings the error that says why. */
async function writeRest(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  written: number,
  position: number,
): Promise<void> {
  const rest = Buffer.concat(chunks).subarray(written)
  for (let offset = 0; offset < rest.byteLength;) {
    const { bytesWritten } = await handle.write(rest, offset, rest.byteLength - offset, position + written + offset)
    offset += bytesWritten
  }
}
