import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { chunkBytes } from '../hash.ts'
import type { ByteRange } from '../port.ts'

/** A chunk is not what its hash says, or is missing. */
export class ChunkMismatchError extends Error {
  override readonly name = 'ChunkMismatchError'
}

/** One chunk of a file, whole and verified. */
export async function readChunk(file: FileHandle, chunks: Buffer, index: number, sizeBytes: number): Promise<Buffer> {
  const start = index * chunkBytes
  const length = Math.min(chunkBytes, sizeBytes - start)
  const bytes = Buffer.allocUnsafe(length)
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.read(bytes, read, length - read, start + read)
    if (bytesRead === 0) throw new ChunkMismatchError(`bytes ${start + read} and on are missing`)
    read += bytesRead
  }
  if (!hash('sha256', bytes, 'buffer').equals(chunks.subarray(index * 32, index * 32 + 32))) {
    throw new ChunkMismatchError(`bytes ${start} to ${start + length} are not what was written`)
  }
  return bytes
}

/** The indexes of the chunks that hold a range. */
export function chunksOf({ start, end }: Required<ByteRange>): { first: number; last: number } {
  return { first: Math.floor(start / chunkBytes), last: Math.max(0, Math.ceil(end / chunkBytes) - 1) }
}

/** What a chunk contributes to a range. */
export function within(chunk: Buffer, index: number, { start, end }: Required<ByteRange>): Buffer {
  const offset = index * chunkBytes
  return chunk.subarray(Math.max(0, start - offset), Math.min(chunk.length, end - offset))
}
