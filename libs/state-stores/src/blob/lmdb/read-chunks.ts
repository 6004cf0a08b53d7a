import type { FileHandle } from 'node:fs/promises'
import { assertChunk, ChunkMismatchError } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'

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
  assertChunk(bytes, chunks, index)
  return bytes
}
