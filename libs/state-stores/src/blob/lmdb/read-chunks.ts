import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { assertChunkHash, ChunkMismatchError } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'
import { placeOf, unpackedChunk } from './compression.ts'
import type { FileContent } from './records.ts'

/** Given out and held at once. */
export const pieceBytes = 64 * 1024

/** Node reads files in four threads; what waits for one of them should not hold memory yet. */
const maxReads = 8

export interface ChunkOfFile {
  readonly file: FileHandle
  readonly content: FileContent
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

async function readChunk({ file, content, index, sizeBytes }: ChunkOfFile): Promise<readonly Buffer[]> {
  const plain = Math.min(chunkBytes, sizeBytes - index * chunkBytes)
  const { start, length } =
    content.lengths === undefined ? { start: index * chunkBytes, length: plain } : placeOf(content.lengths, index)
  const read = await readPieces(file, start, length)
  const pieces = length === plain ? read : split(await unpackedChunk(Buffer.concat(read), plain))
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  assertChunkHash(hash.digest(), plain, content.chunks, index)
  return pieces
}

async function readPieces(file: FileHandle, start: number, length: number): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = []
  for (let at = 0; at < length; at += pieceBytes) pieces.push(Buffer.allocUnsafeSlow(Math.min(pieceBytes, length - at)))
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.readv(behind(pieces, read), start + read)
    if (bytesRead === 0) throw new ChunkMismatchError(`bytes ${start + read} and on are missing`)
    read += bytesRead
  }
  return pieces
}

/** Copies, so that each has memory of its own. */
function split(chunk: Buffer): readonly Buffer[] {
  return Array.from({ length: Math.ceil(chunk.length / pieceBytes) }, (_, index) => {
    const part = chunk.subarray(index * pieceBytes, (index + 1) * pieceBytes)
    const piece = Buffer.allocUnsafeSlow(part.length)
    part.copy(piece)
    return piece
  })
}

/** What is left of them after so many bytes. */
function behind(pieces: readonly Buffer[], bytes: number): readonly Buffer[] {
  return pieces
    .map((piece, index) => piece.subarray(Math.max(0, bytes - index * pieceBytes)))
    .filter(({ length }) => length > 0)
}
