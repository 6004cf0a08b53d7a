import { NotAppliedError } from '../../outcome.ts'
import { ChunkHasher, type Hashes } from '../hash.ts'
import type { EntryName } from '../port.ts'
import { ChunkWriter, removeChunks } from './chunks.ts'
import { newGeneration } from './head.ts'
import { longestUploadMs, type Leftovers } from './leftovers.ts'
import type { CassandraSession } from './session.ts'

export interface Uploaded extends Hashes {
  readonly generation: Buffer
}

/**
 * Stores bytes under a generation of their own, which no entry names yet. The generation is listed as a leftover before
 * its first chunk, and stays in the list: whoever sweeps a day later sees whether it got its name.
 */
export class Upload {
  readonly generation = newGeneration()
  readonly #session: CassandraSession
  readonly #chunks: ChunkWriter
  readonly #hasher = new ChunkHasher()
  readonly #startedMs = performance.now()

  private constructor(session: CassandraSession) {
    this.#session = session
    this.#chunks = new ChunkWriter(session, this.generation)
  }

  static async begin(session: CassandraSession, leftovers: Leftovers, name: EntryName): Promise<Upload> {
    const upload = new Upload(session)
    await leftovers.add(name, upload.generation)
    return upload
  }

  get sizeBytes(): number {
    return this.#hasher.sizeBytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hasher.update(bytes)
    await this.#chunks.write(bytes)
  }

  async finish(): Promise<Uploaded> {
    await this.#chunks.finish()
    if (performance.now() - this.#startedMs > longestUploadMs) {
      throw new NotAppliedError('the upload took more than twelve hours; send it faster')
    }
    return { ...this.#hasher.finish(), generation: this.generation }
  }

  /** At once rather than by the sweep; what fails here is left to that. */
  async discard(): Promise<void> {
    await this.#chunks.settled()
    await removeChunks(this.#session, this.generation).catch(() => {})
  }
}
