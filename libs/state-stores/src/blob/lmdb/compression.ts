import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ChunkMismatchError } from '../chunks.ts'

/** Below this a zstd frame is no gain. */
const smallestBytes = 512

/** Compressed where that is shorter; otherwise the same bytes. Blocks: for at most 64 KiB. */
export function packedSmall(bytes: Buffer): Buffer {
  return bytes.length < smallestBytes ? bytes : packedChunk(bytes)
}

/** Bytes of which there must be `sizeBytes`; what is as long as that was never compressed. Undefined: they are damaged. */
export function unpackedSmall(bytes: Buffer, sizeBytes: number): Buffer | undefined {
  if (bytes.length === sizeBytes) return bytes
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: sizeBytes })
  } catch {
    return undefined
  }
}

/** One chunk of a file, of which there must be `sizeBytes`. Blocks for a whole chunk. */
export function unpackedChunk(bytes: Buffer, sizeBytes: number): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: sizeBytes })
  } catch (cause) {
    throw new ChunkMismatchError('a compressed chunk cannot be unpacked', { cause })
  }
}

/** A chunk as it rests; the same bytes where they are not shorter. Blocks for a whole chunk. */
export function packedChunk(chunk: Buffer): Buffer {
  const packed = zstdCompressSync(chunk)
  return packed.length < chunk.length ? packed : chunk
}

/** Where a compressed chunk lies in its file. */
export function placeOf(lengths: Buffer, index: number): { start: number; length: number } {
  let start = 0
  for (let each = 0; each < index; each++) start += lengths.readUInt32BE(each * 4)
  return { start, length: lengths.readUInt32BE(index * 4) }
}
