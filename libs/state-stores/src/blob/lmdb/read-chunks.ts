import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { assertChunkHash, ChunkMismatchError } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'

/** Given out and held at once. */
export const pieceBytes = 64 * 1024

/** Node reads files in four threads; what waits for one of them should not hold memory yet. */
const maxReads = 8

export interface ChunkOfFile {
  readonly file: FileHandle
  /** Hashes of all chunks of the file. */
  readonly chunks: Buffer
  readonly index: number
  /** Of the file. */
  readonly sizeBytes: number
}

/** Reads chunks of files, some at a time: a thousand readers who come at once do not take a thousand chunks of memory. */
export class ChunkReads {
  #reading = 0
  readonly #waiting: (() => void)[] = []

  /** One chunk, whole and verified, in pieces of `pieceBytes` with memory of their own. */
  async read(chunk: ChunkOfFile): Promise<readonly Buffer[]> {
    while (this.#reading >= maxReads) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    this.#reading++
    try {
      return await readChunk(chunk)
    } finally {
      this.#reading--
      this.#waiting.shift()?.()
    }
  }
}

async function readChunk({ file, chunks, index, sizeBytes }: ChunkOfFile): Promise<readonly Buffer[]> {
  const start = index * chunkBytes
  const length = Math.min(chunkBytes, sizeBytes - start)
  const pieces: Buffer[] = []
  for (let at = 0; at < length; at += pieceBytes) pieces.push(Buffer.allocUnsafeSlow(Math.min(pieceBytes, length - at)))
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.readv(behind(pieces, read), start + read)
    if (bytesRead === 0) throw new ChunkMismatchError(`bytes ${start + read} and on are missing`)
    read += bytesRead
  }
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  assertChunkHash(hash.digest(), length, chunks, index)
  return pieces
}

/** What is left of them after so many bytes. */
function behind(pieces: readonly Buffer[], bytes: number): readonly Buffer[] {
  return pieces
    .map((piece, index) => piece.subarray(Math.max(0, bytes - index * pieceBytes)))
    .filter(({ length }) => length > 0)
}
