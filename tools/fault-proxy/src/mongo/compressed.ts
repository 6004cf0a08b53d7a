import { inflateSync, zstdDecompressSync } from 'node:zlib'

const OP_COMPRESSED = 2012
/** Header; then int32 opcode, int32 size and one byte for the compressor, of the message inside. */
const headerBytes = 16
const prefixBytes = 9

const decompress: Readonly<Record<number, (bytes: Buffer, maxOutputLength: number) => Buffer>> = {
  0: (bytes) => bytes,
  2: (bytes, maxOutputLength) => inflateSync(bytes, { maxOutputLength }),
  3: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
}

/**
 * The message that an OP_COMPRESSED holds (https://github.com/mongodb/specifications, "Wire Compression"); any other one as it is.
 * @throws Error for what cannot be read (snappy): a meter that counts nothing would let everything pass.
 */
export function uncompressed(message: Buffer): Buffer {
  if (message.readInt32LE(12) !== OP_COMPRESSED) return message
  if (message.length < headerBytes + prefixBytes) throw new Error('a compressed MongoDB message ends within its header')
  const opcode = message.readInt32LE(headerBytes)
  const size = message.readInt32LE(headerBytes + 4)
  const compressor = message[headerBytes + 8] ?? -1
  const read = decompress[compressor]
  if (read === undefined) {
    throw new Error(
      `MongoDB messages of compressor ${compressor} cannot be counted: use compressors=zlib, zstd or none`,
    )
  }
  const header = Buffer.from(message.subarray(0, headerBytes))
  header.writeInt32LE(headerBytes + size, 0)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, read(message.subarray(headerBytes + prefixBytes), Math.max(1, size))])
}
