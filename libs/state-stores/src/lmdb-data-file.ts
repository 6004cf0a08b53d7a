import { open, type FileHandle } from 'node:fs/promises'

/**
 * Looks at an LMDB data file without LMDB, which does not survive a damaged one: opening it, or the first read,
 * ends the process by SIGSEGV or SIGBUS. Checks both meta pages and then every page reachable from the newest one,
 * breadth first, up to `maxPages`, or all where the file is shorter than it was: its own number, its kind, its bounds, and that everything it points to is inside
 * the file. Values have no check sum in LMDB; who stores them must hash them.
 *
 * Other processes may write meanwhile. Pages of a snapshot are reused only after two further commits, so a complaint
 * counts only if the newest transaction is still the one that was walked.
 *
 * Returns what is wrong, or undefined when nothing is, or when there is no file (LMDB starts afresh). An
 * empty one is damage: LMDB would start afresh over whatever was cut off.
 * Format: liblmdb mdb.c, data version 2 (64-bit, little endian).
 */
export async function inspectLmdbFile(file: string, maxPages = 4096): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    if ((await handle.stat()).size === 0) {
      return 'it is empty, so what it held is gone; if this store was never used, remove the file'
    }
    for (;;) {
      const meta = await readMeta(handle)
      if (typeof meta === 'string') return meta
      const damage = await walk(handle, meta, maxPages)
      if (damage === undefined) return undefined
      const after = await readMeta(handle)
      if (typeof after === 'string' || after.transaction === meta.transaction) return damage
    }
  } finally {
    await handle.close()
  }
}

export interface Meta {
  readonly pageSize: number
  readonly transaction: bigint
  readonly lastPage: number
  readonly roots: readonly number[]
  /** Where the names of the tables are; undefined: there are none. */
  readonly mainRoot: number | undefined
}

export const headerBytes = 24
const databaseBytes = 48
const magic = 0xbeefc0de
const dataVersion = 2
export const noPage = 0xffff_ffff_ffff_ffffn
export const kinds = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 }
export const nodeFlags = { overflow: 0x01, database: 0x02 }

async function readMeta(handle: FileHandle): Promise<Meta | string> {
  const first = await parseMeta(handle, 0)
  if (typeof first === 'string') return first
  const second = await parseMeta(handle, first.pageSize)
  if (typeof second === 'string') return second
  return second.transaction > first.transaction ? second : first
}

/** What is wrong with it where it is none. */
export async function parseMeta(handle: FileHandle, offset: number): Promise<Meta | string> {
  const page = await read(handle, offset, 192)
  if (page === undefined) return 'a meta page is missing'
  if ((page.readUInt16LE(18) & kinds.meta) === 0 || page.readUInt32LE(headerBytes) !== magic) {
    return 'a meta page lacks the LMDB magic number'
  }
  const version = page.readUInt32LE(28) & 0xffff
  if (version !== dataVersion) return `data format ${version}, expected ${dataVersion}`
  const pageSize = page.readUInt32LE(48)
  if (pageSize < 256 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return `page size ${pageSize}`
  const [free, main] = [page.readBigUInt64LE(48 + 40), page.readBigUInt64LE(96 + 40)]
  const roots = [free, main].filter((root) => root !== noPage)
  return {
    pageSize,
    transaction: page.readBigUInt64LE(152),
    lastPage: Number(page.readBigUInt64LE(144)),
    roots: roots.map(Number),
    mainRoot: main === noPage ? undefined : Number(main),
  }
}

async function walk(handle: FileHandle, meta: Meta, maxPages: number): Promise<string | undefined> {
  const { size } = await handle.stat()
  const queue: { page: number; pages: number; kind: number }[] = meta.roots.map((page) => ({
    page,
    pages: 1,
    kind: kinds.branch | kinds.leaf,
  }))
  // Perhaps only free pages are missing; LMDB does not write those that come and go within one transaction.
  const limit = size < (meta.lastPage + 1) * meta.pageSize ? Infinity : maxPages
  for (let index = 0; index < queue.length && index < limit; index++) {
    const next = queue[index]
    if (next === undefined) break
    const where = `page ${next.page}`
    if (next.page > meta.lastPage || (next.page + next.pages) * meta.pageSize > size) return `${where} is missing`
    const bytes = await read(handle, next.page * meta.pageSize, meta.pageSize)
    if (bytes === undefined) return `${where} is missing`
    const kind = bytes.readUInt16LE(18)
    if (bytes.readBigUInt64LE(0) !== BigInt(next.page) || (kind & next.kind) === 0)
      return `${where} is not what it says`
    if ((kind & kinds.overflow) !== 0) continue
    const children = nodes(bytes, kind)
    if (children === undefined) return `${where} has nodes outside the page`
    queue.push(...children)
  }
  return undefined
}

/** What a page points to; undefined when it points outside itself. */
function nodes(bytes: Buffer, kind: number): { page: number; pages: number; kind: number }[] | undefined {
  // Offsets inside a page count from the end of its header.
  const lower = bytes.readUInt16LE(20) + headerBytes
  const upper = bytes.readUInt16LE(22) + headerBytes
  if (lower > upper || upper > bytes.length) return undefined
  const found: { page: number; pages: number; kind: number }[] = []
  for (let pointer = headerBytes; pointer < lower; pointer += 2) {
    const node = bytes.readUInt16LE(pointer) + headerBytes
    if (node < upper || node + 8 > bytes.length) return undefined
    const low = bytes.readUInt32LE(node)
    const flags = bytes.readUInt16LE(node + 4)
    if ((kind & kinds.branch) !== 0) {
      found.push({ page: low + flags * 2 ** 32, pages: 1, kind: kinds.branch | kinds.leaf })
      continue
    }
    const data = node + 8 + bytes.readUInt16LE(node + 6)
    if ((flags & nodeFlags.overflow) !== 0) {
      if (data + 8 > bytes.length) return undefined
      const pages = Math.ceil((headerBytes + low) / bytes.length)
      found.push({ page: Number(bytes.readBigUInt64LE(data)), pages, kind: kinds.overflow })
    } else if (data + low > bytes.length) {
      return undefined
    } else if ((flags & nodeFlags.database) !== 0 && low >= databaseBytes) {
      const root = bytes.readBigUInt64LE(data + 40)
      if (root !== noPage) found.push({ page: Number(root), pages: 1, kind: kinds.branch | kinds.leaf })
    }
  }
  return found
}

async function read(handle: FileHandle, offset: number, bytes: number): Promise<Buffer | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, offset)
  return bytesRead === bytes ? buffer : undefined
}
