import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inspectLmdbFile } from './lmdb-data-file.ts'

const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
])

/**
 * Makes the folder if it is missing and looks at everything that would make LMDB fail, for LMDB does not survive that.
 * Every refusal is one sentence that names the path; nothing is overwritten, and where it is only to be read, nothing made.
 */
export async function prepareLmdbFolder(
  path: string,
  readOnly = false,
  fileSystemType: (path: string) => Promise<number> = async (folder) => (await statfs(folder)).type,
): Promise<void> {
  try {
    const created = readOnly ? undefined : await mkdir(path, { recursive: true })
    const network = networkFileSystems.get(await fileSystemType(path))
    if (network !== undefined) {
      throw new Error(`${path} is on ${network}; LMDB needs a local disk, because its memory map and locks fail there`)
    }
    if (readOnly) await access(join(path, 'data.mdb'), constants.R_OK)
    else await tryWriting(path)
    if (created !== undefined) await syncParents(path, dirname(created))
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    const code = String(cause.code)
    const what = readOnly ? 'there is no store to read in' : 'cannot write to'
    const advice = /^(ENOSPC|EDQUOT)$/.test(code) ? 'make room on its disk' : 'choose one that this user may write'
    throw new Error(`${what} the folder ${path} (${code}); ${advice}`, { cause })
  }
  const file = join(path, 'data.mdb')
  const damage = await damageOf(file)
  if (damage === undefined) return
  throw new Error(
    `${file} is damaged or no LMDB data (${damage}); it was left as it is: restore a backup or move it away`,
  )
}

/** Makes the entries of a folder durable: files that were created, renamed or removed. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

/** From a new folder up to the one that was there before. */
async function syncParents(path: string, top: string): Promise<void> {
  const parent = dirname(path)
  await syncFolder(parent)
  if (parent !== top) await syncParents(parent, top)
}

async function damageOf(file: string): Promise<string | undefined> {
  if ((await inspectLmdbFile(file)) === undefined) return undefined
  // Another process may be writing the first pages of a new file just now.
  await delay(100)
  return inspectLmdbFile(file)
}

/** Rejects where files cannot be made, or the store's own cannot be written; leaves nothing behind. */
export async function tryWriting(path: string): Promise<void> {
  const probe = join(path, `.writable-${randomUUID()}`)
  try {
    await writeFile(probe, 'probe', { flag: 'wx', flush: true })
  } finally {
    await rm(probe, { force: true })
  }
  for (const name of ['data.mdb', 'lock.mdb']) await openForWriting(join(path, name))
}

async function openForWriting(file: string): Promise<void> {
  try {
    await (await open(file, 'r+')).close()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
