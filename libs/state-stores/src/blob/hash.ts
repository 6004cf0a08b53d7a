import { createHash, hash } from 'node:crypto'
import type { Digest } from './port.ts'

/**
 * Bytes are verified in pieces of this size when they are read: small enough to hold, to send at once and to reread
 * for a range, large enough that the hashes are 1/8192 of the data.
 */
export const chunkBytes = 256 * 1024

export function sha256(bytes: Uint8Array): Digest {
  return hash('sha256', bytes, 'hex')
}

export interface Hashes {
  readonly digest: Digest
  readonly sizeBytes: number
  /** One raw SHA-256 per chunk of `chunkBytes`, the last chunk may be shorter; concatenated. */
  readonly chunks: Buffer
}

/** Hashes a stream as a whole and chunk by chunk, whatever pieces it comes in. */
export class ChunkHasher {
  readonly #whole = createHash('sha256')
  readonly #chunks: Buffer[] = []
  #chunk = createHash('sha256')
  #inChunk = 0
  #size = 0

  get sizeBytes(): number {
    return this.#size
  }

  update(bytes: Uint8Array): void {
    this.#whole.update(bytes)
    this.#size += bytes.length
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + chunkBytes - this.#inChunk)
      this.#chunk.update(bytes.subarray(start, end))
      this.#inChunk += end - start
      if (this.#inChunk === chunkBytes) this.#endChunk()
      start = end
    }
  }

  finish(): Hashes {
    if (this.#inChunk > 0) this.#endChunk()
    return { digest: this.#whole.digest('hex'), sizeBytes: this.#size, chunks: Buffer.concat(this.#chunks) }
  }

  #endChunk(): void {
    this.#chunks.push(this.#chunk.digest())
    this.#chunk = createHash('sha256')
    this.#inChunk = 0
  }
}
