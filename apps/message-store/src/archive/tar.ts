import type { EntryName } from '@ballast/state-stores/blob'

/*
 * POSIX pax archives (IEEE Std 1003.1, "pax Interchange Format"), which every tar reads. An entry of a store is a file
 * <namespace>/<key, percent-encoded>, preceded by a header with its real path, its size, and its SHA-256 as an extended
 * attribute; so paths may be long, sizes beyond 8 GiB, and the reader checks what he gets.
 */
export const blockBytes = 512
const digestKeyword = 'SCHILY.xattr.user.sha256'

export interface TarEntry {
  readonly name: EntryName
  readonly digest: string
  readonly sizeBytes: number
}

export function headersOf({ name: { namespace, key }, digest, sizeBytes }: TarEntry): Buffer {
  const path = `${namespace}/${encodeURIComponent(key)}`
  const records = Buffer.concat([record('path', path), record('size', `${sizeBytes}`), record(digestKeyword, digest)])
  const shown = path.length <= 100 ? path : `${namespace}/${digest.slice(0, 32)}`
  // The old field ends at 8 GiB; who reads pax takes the other one.
  return Buffer.concat([
    header(`pax/${digest.slice(0, 32)}`, records.length, 'x'),
    padded(records),
    header(shown, Math.min(sizeBytes, 0o77777777777), '0'),
  ])
}

export const paddingOf = (sizeBytes: number): Buffer =>
  Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)

export const endOfArchive = Buffer.alloc(2 * blockBytes)

/** `length keyword=value\n`, where the length counts its own digits. */
function record(keyword: string, value: string): Buffer {
  const rest = ` ${keyword}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (length !== `${length}`.length + Buffer.byteLength(rest)) length = `${length}`.length + Buffer.byteLength(rest)
  return Buffer.from(`${length}${rest}`)
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`

function header(path: string, sizeBytes: number, type: 'x' | '0'): Buffer {
  const block = Buffer.alloc(blockBytes)
  block.write(path, 0, 100)
  block.write(octal(0o644, 7), 100)
  block.write(octal(0, 7) + octal(0, 7), 108)
  block.write(octal(sizeBytes, 11) + octal(0, 11), 124)
  block.write('        ', 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257, 'latin1')
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return block
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, paddingOf(bytes.length)])
}

export interface TarHeader {
  readonly type: string
  readonly sizeBytes: number
}

/** Undefined: the end. Throws when it is no header. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  if (Number.parseInt(block.toString('latin1', 148, 156), 8) !== sum)
    throw new Error('this is no tar archive, or it is damaged')
  return { type: block.toString('latin1', 156, 157), sizeBytes: Number.parseInt(block.toString('latin1', 124, 136), 8) }
}

/** What an extended header says of the file that follows; undefined when that is no entry of a store. */
export function parseRecords(bytes: Buffer): TarEntry | undefined {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 10), 10)
    if (!(length > 0)) throw new Error('an extended header of the archive is damaged')
    const [, keyword = '', value = ''] = /^\d+ ([^=]+)=([^]*)\n$/.exec(bytes.toString('utf8', at, at + length)) ?? []
    found.set(keyword, value)
    at += length
  }
  const [, namespace, key] = /^([a-z0-9._-]{1,64})\/([^/]+)$/.exec(found.get('path') ?? '') ?? []
  const digest = found.get(digestKeyword)
  if (namespace === undefined || key === undefined || digest === undefined) return undefined
  return { name: { namespace, key: decodeURIComponent(key) }, digest, sizeBytes: Number(found.get('size')) }
}
