import { hash } from 'node:crypto'
import { chunkBytes } from './hash.ts'
import type { ByteRange } from './port.ts'

/** A chunk is not what its hash says, or is missing. */
export class ChunkMismatchError extends Error {
  override readonly name = 'ChunkMismatchError'
}

/** Compares a whole chunk with its hash, one of those that `ChunkHasher` made. */
export function assertChunk(bytes: Buffer, hashes: Buffer, index: number): void {
  assertChunkHash(hash('sha256', bytes, 'buffer'), bytes.length, hashes, index)
}

/** The same for a hash of `length` bytes that was made already. */
export function assertChunkHash(hashed: Buffer, length: number, hashes: Buffer, index: number): void {
  if (hashed.equals(hashes.subarray(index * 32, index * 32 + 32))) return
  const start = index * chunkBytes
  throw new ChunkMismatchError(`bytes ${start} to ${start + length} are not what was written`)
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
