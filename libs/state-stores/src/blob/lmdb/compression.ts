import { promisify } from 'node:util'
import { zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { ChunkMismatchError } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'

const compress = promisify(zstdCompress)

/** Below this a zstd frame is no gain. */
const smallestBytes = 512

/** Compressed where that is shorter; otherwise the same bytes. Blocks: for at most 64 KiB. */
export function packedSmall(bytes: Buffer): Buffer {
  if (bytes.length < smallestBytes) return bytes
  const packed = zstdCompressSync(bytes)
  return packed.length < bytes.length ? packed : bytes
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

/** Compresses a stream chunk by chunk, so that a range reads no more than its chunks. Holds one chunk. */
export class ChunkPacker {
  readonly #write: (bytes: Buffer) => Promise<void>
  readonly #lengths: number[] = []
  #pieces: Uint8Array[] = []
  #size = 0

  constructor(write: (bytes: Buffer) => Promise<void>) {
    this.#write = write
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + chunkBytes - this.#size)
      this.#pieces.push(bytes.subarray(start, end))
      this.#size += end - start
      if (this.#size === chunkBytes) await this.#flush()
      start = end
    }
  }

  /** Of each chunk the bytes that it takes at rest: 4 bytes each, big-endian. */
  async finish(): Promise<Buffer> {
    if (this.#size > 0) await this.#flush()
    const lengths = Buffer.alloc(this.#lengths.length * 4)
    for (const [index, length] of this.#lengths.entries()) lengths.writeUInt32BE(length, index * 4)
    return lengths
  }

  async #flush(): Promise<void> {
    const chunk = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#size = 0
    const packed = await compress(chunk)
    const kept = packed.length < chunk.length ? packed : chunk
    this.#lengths.push(kept.length)
    await this.#write(kept)
  }
}

/** Where a compressed chunk lies in its file. */
export function placeOf(lengths: Buffer, index: number): { start: number; length: number } {
  let start = 0
  for (let each = 0; each < index; each++) start += lengths.readUInt32BE(each * 4)
  return { start, length: lengths.readUInt32BE(index * 4) }
}
