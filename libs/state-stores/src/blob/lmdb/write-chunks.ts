import { createHash } from 'node:crypto'
import { chunkBytes, type Hashes } from '../hash.ts'
import type { Incoming } from './incoming.ts'

/** Chunks that are being hashed and written while the next one arrives. */
const maxWrites = 2

export interface WrittenHashes extends Hashes {
  /** Of a compressed file: what each chunk takes at rest, 4 bytes each, big-endian. */
  readonly lengths: Buffer | undefined
}

/**
 * Hashes a stream as a whole, and cuts it into chunks that are hashed and written elsewhere meanwhile. Takes a copy of what
 * it is given. Holds three chunks.
 */
export class ChunkWriter {
  readonly #incoming: Incoming
  readonly #compress: boolean
  readonly #whole = createHash('sha256')
  readonly #chunks: Uint8Array[] = []
  readonly #lengths: number[] = []
  readonly #writing: Promise<ArrayBuffer>[] = []
  #chunk = new Uint8Array(new ArrayBuffer(chunkBytes))
  #filled = 0
  #size = 0

  constructor(incoming: Incoming, compress: boolean) {
    this.#incoming = incoming
    this.#compress = compress
  }

  get sizeBytes(): number {
    return this.#size
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#whole.update(bytes)
    this.#size += bytes.length
    for (let start = 0; start < bytes.length;) {
      const part = bytes.subarray(start, start + chunkBytes - this.#filled)
      this.#chunk.set(part, this.#filled)
      this.#filled += part.length
      start += part.length
      if (this.#filled === chunkBytes) await this.#endChunk()
    }
  }

  /** All is written when it resolves, but not synced. */
  async finish(): Promise<WrittenHashes> {
    if (this.#filled > 0) await this.#endChunk()
    await Promise.all(this.#writing)
    const lengths = Buffer.alloc(this.#lengths.length * 4)
    for (const [index, length] of this.#lengths.entries()) lengths.writeUInt32BE(length, index * 4)
    return {
      digest: this.#whole.digest('hex'),
      sizeBytes: this.#size,
      chunks: Buffer.concat(this.#chunks),
      lengths: this.#compress ? lengths : undefined,
    }
  }

  async #endChunk(): Promise<void> {
    const writing = this.#write(this.#chunk.buffer, this.#filled)
    // Told to whoever brings the next one, or ends.
    writing.catch(() => {})
    this.#writing.push(writing)
    const free = this.#writing.length > maxWrites ? await this.#writing.shift() : undefined
    this.#chunk = new Uint8Array(free ?? new ArrayBuffer(chunkBytes))
    this.#filled = 0
  }

  async #write(chunk: ArrayBuffer, plainBytes: number): Promise<ArrayBuffer> {
    const { buffers, sha256, length } = await this.#incoming.write(chunk, plainBytes, this.#compress)
    this.#chunks.push(sha256)
    this.#lengths.push(length)
    return buffers[0] ?? new ArrayBuffer(chunkBytes)
  }
}
