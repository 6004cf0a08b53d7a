import type { FileHandle } from 'node:fs/promises'
import { assertChunkHash } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'
import { readingThread } from './chunk-worker.ts'
import { placeOf } from './compression.ts'
import { pieceBytes, piecesIn } from './pieces.ts'
import type { FileContent } from './records.ts'

/** What waits for its turn should not hold memory yet. */
const maxReads = 8

/** Kept to be filled again; 2 MiB. */
const maxSpare = 32

export interface ChunkOfFile {
  /** Stays open until the chunk is there. */
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
  readonly #spare: ArrayBuffer[] = []

  /** One chunk, whole and verified, in pieces of `pieceBytes` with memory of their own. */
  async read(chunk: ChunkOfFile): Promise<readonly Buffer[]> {
    while (this.#reading >= maxReads) await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    this.#reading++
    try {
      return await this.#read(chunk)
    } finally {
      this.#reading--
      this.#waiting.shift()?.()
    }
  }

  /**
   * Takes back a piece that was read here and that nothing looks at any more: the next chunk is read into it. Pieces that
   * nobody gives back are garbage, and to collect a GiB of them takes as long as to verify it.
   */
  release({ buffer }: Buffer): void {
    const reusable = buffer instanceof ArrayBuffer && buffer.byteLength === pieceBytes
    if (reusable && this.#spare.length < maxSpare) this.#spare.push(buffer)
  }

  async #read({ file, content, index: chunk, sizeBytes }: ChunkOfFile): Promise<readonly Buffer[]> {
    const plainBytes = Math.min(chunkBytes, sizeBytes - chunk * chunkBytes)
    const { start, length } =
      content.lengths === undefined
        ? { start: chunk * chunkBytes, length: plainBytes }
        : placeOf(content.lengths, chunk)
    const sizes = piecesIn(plainBytes)
    const lent = this.#spare.splice(-sizes.length)
    const { buffers, sha256 } = await readingThread.do({ what: 'read', fd: file.fd, start, length, plainBytes, lent })
    assertChunkHash(Buffer.from(sha256), plainBytes, content.chunks, chunk)
    return buffers.map((piece, index) => Buffer.from(piece, 0, sizes[index]))
  }
}
