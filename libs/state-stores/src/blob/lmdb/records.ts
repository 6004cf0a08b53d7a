import { chunkBytes } from '../hash.ts'
import { isDigest } from '../name.ts'
import type { Digest, EntryName } from '../port.ts'
import type { Totals } from '../quota.ts'
import { unpackedSmall } from './compression.ts'

/*
 * Every value begins with its format's number, 1 where nothing else is said; numbers are big-endian.
 *
 * entries  key: length of the namespace (1), namespace, 1 and the 32 bytes of a hex key, or 0 and the key in UTF-8
 *          value: 1, then the digest (32) unless the key is it
 * blobs    key: digest (32)
 *          value: 1 to 4, flags (1), references (4), size (6), then the bytes (inline), or generation (12), chunk hashes
 *          2, 4: one of the references is the entry "messages", key: the digest, which has no row in `entries`. Messages are
 *          small and many; a row of its own would make one of 100 bytes a third larger, and its commit twice as large.
 *          3, 4: in zstd where that is shorter than the size; a file chunk by chunk, their lengths (4 each) after the hashes
 * totals   key: "totals"; value: 1, entries (6), blobs (6), bytes (6)
 */
const format = 1
const lastFormat = 4
const inlineFlag = 1
const damagedFlag = 2
const headerBytes = 12
const generationBytes = 12

const homeNamespace = 'messages'

/** The entry that a record can hold itself. */
export function homeEntry(digest: Digest): EntryName {
  return { namespace: homeNamespace, key: digest }
}

/** Whether it is the home entry of any digest; of its key, should that be one. */
export function isHome({ namespace, key }: EntryName): boolean {
  return namespace === homeNamespace && isDigest(key)
}

export function isHomeNamespace(namespace: string): boolean {
  return namespace === homeNamespace
}

export interface Record {
  readonly references: number
  readonly sizeBytes: number
  readonly damaged: boolean
  /** Its home entry is one of the references. */
  readonly home: boolean
  readonly content: InlineContent | FileContent
}

export interface InlineContent {
  /** As they are at rest. */
  readonly bytes: Buffer
  readonly zstd?: boolean
}

export interface FileContent {
  /** Names one file of these bytes; a later put of the same bytes gets another one. 24 hex digits. */
  readonly generation: string
  readonly chunks: Buffer
  /** Of the compressed chunks, see `ChunkPacker`; missing when nothing is compressed. */
  readonly lengths?: Buffer
}

/** What an inline blob stands for; undefined: it is damaged. */
export function inlineBytes({ bytes, zstd }: InlineContent, sizeBytes: number): Buffer | undefined {
  return zstd === true ? unpackedSmall(bytes, sizeBytes) : bytes
}

export function entryKey({ namespace, key }: EntryName): Buffer {
  const binary = isDigest(key)
  const keyAt = 2 + namespace.length
  const entry = Buffer.allocUnsafe(keyAt + (binary ? 32 : Buffer.byteLength(key)))
  entry[0] = namespace.length
  entry.write(namespace, 1, 'latin1')
  entry[keyAt - 1] = binary ? 1 : 0
  entry.write(key, keyAt, binary ? 'hex' : 'utf8')
  return entry
}

/** The range of keys of a namespace. */
export function entryRange(namespace: string): { start: Buffer; end: Buffer } {
  const prefix = Buffer.from([namespace.length, ...Buffer.from(namespace)])
  return { start: prefix, end: Buffer.concat([prefix, Buffer.from([2])]) }
}

export function nameOf(entry: Buffer): EntryName {
  return { namespace: entry.toString('utf8', 1, 1 + (entry[0] ?? 0)), key: keyOf(entry) }
}

export function keyOf(entry: Buffer): string {
  const at = 1 + (entry[0] ?? 0)
  return entry.toString(entry[at] === 1 ? 'hex' : 'utf8', at + 1)
}

export function encodeEntry(key: string, digest: Digest): Buffer {
  return key === digest ? Buffer.from([format]) : Buffer.concat([Buffer.from([format]), Buffer.from(digest, 'hex')])
}

export function decodeEntry(key: string, value: Buffer): Digest {
  assertFormat(value)
  return value.length === 1 ? key : value.toString('hex', 1)
}

export function encodeRecord({ references, sizeBytes, damaged, home, content }: Record): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  const zstd = 'bytes' in content ? content.zstd === true : content.lengths !== undefined
  header[0] = format + (home ? 1 : 0) + (zstd ? 2 : 0)
  header[1] = ('bytes' in content ? inlineFlag : 0) | (damaged ? damagedFlag : 0)
  header.writeUInt32BE(references, 2)
  header.writeUIntBE(sizeBytes, 6, 6)
  const rest =
    'bytes' in content
      ? [content.bytes]
      : [Buffer.from(content.generation, 'hex'), content.chunks, content.lengths ?? Buffer.alloc(0)]
  return Buffer.concat([header, ...rest])
}

export function decodeRecord(value: Buffer): Record {
  // Not as a pattern: that would make an iterator for each record.
  const read = value[0] ?? 0
  const flags = value[1] ?? 0
  if (read < format || read > lastFormat) assertFormat(value)
  const zstd = read > 2
  const sizeBytes = value.readUIntBE(6, 6)
  return {
    references: value.readUInt32BE(2),
    sizeBytes,
    damaged: (flags & damagedFlag) !== 0,
    home: read % 2 === 0,
    content:
      (flags & inlineFlag) !== 0
        ? { bytes: value.subarray(headerBytes), zstd }
        : decodeFile(value.subarray(headerBytes), zstd, Math.ceil(sizeBytes / chunkBytes)),
  }
}

function decodeFile(value: Buffer, zstd: boolean, count: number): FileContent {
  const generation = value.toString('hex', 0, generationBytes)
  const hashesEnd = generationBytes + count * 32
  const chunks = value.subarray(generationBytes, hashesEnd)
  return zstd ? { generation, chunks, lengths: value.subarray(hashesEnd) } : { generation, chunks }
}

export function encodeTotals({ entries, blobs, sizeBytes }: Totals): Buffer {
  const value = Buffer.alloc(19)
  value[0] = format
  value.writeUIntBE(entries, 1, 6)
  value.writeUIntBE(blobs, 7, 6)
  value.writeUIntBE(sizeBytes, 13, 6)
  return value
}

export function decodeTotals(value: Buffer): Totals {
  assertFormat(value)
  return { entries: value.readUIntBE(1, 6), blobs: value.readUIntBE(7, 6), sizeBytes: value.readUIntBE(13, 6) }
}

function assertFormat(value: Buffer): void {
  if (value[0] !== format) {
    throw new Error(`the store has data of format ${value[0]}; this release reads format ${format}`)
  }
}
