import { openChunkedBlob } from '../chunked-blob.ts'
import { assertChunk, ChunkMismatchError } from '../chunks.ts'
import { sha256 } from '../hash.ts'
import { inMemoryBlob } from '../in-memory-blob.ts'
import { DamagedBlobError, type BlobOptions, type ByteRange, type EntryName, type OpenBlob } from '../port.ts'
import { clip } from '../range.ts'
import { readChunk } from './chunks.ts'
import type { Entries, Entry, WholeEntry } from './entries.ts'
import type { CassandraSession } from './session.ts'

/** Gives out bytes only after they were verified; marks the generation that is damaged, and leaves it as it is. */
export class Reader {
  readonly #session: CassandraSession
  readonly #entries: Entries
  readonly #onDamage: BlobOptions['onDamage']

  constructor(session: CassandraSession, entries: Entries, onDamage: BlobOptions['onDamage']) {
    this.#session = session
    this.#entries = entries
    this.#onDamage = onDamage
  }

  async open(name: EntryName, range: ByteRange): Promise<OpenBlob | undefined> {
    const entry = await this.#entries.readWhole(name)
    if (entry === undefined) return undefined
    const { digest, sizeBytes, chunked, damaged, body } = entry
    if (damaged) throw new DamagedBlobError(digest, 'found earlier')
    const clipped = clip(range, sizeBytes)
    if (body === undefined) throw await this.#damaged(name, entry, 'its bytes are missing')
    if (chunked) return this.#inChunks(name, entry, body, clipped)
    if (sha256(body) !== digest) throw await this.#damaged(name, entry, 'in its row')
    return inMemoryBlob(digest, body, clipped)
  }

  #inChunks(name: EntryName, entry: WholeEntry, hashes: Buffer, range: Required<ByteRange>): Promise<OpenBlob> {
    const { digest, sizeBytes, generation } = entry
    const read = async (index: number): Promise<Buffer> => {
      const chunk = await readChunk(this.#session, generation, index)
      try {
        if (chunk === undefined) throw new ChunkMismatchError(`chunk ${index} is missing`)
        assertChunk(chunk, hashes, index)
        return chunk
      } catch (error) {
        if (!(error instanceof ChunkMismatchError)) throw error
        throw await this.#damaged(name, entry, error.message)
      }
    }
    return openChunkedBlob({ digest, sizeBytes, range, read, close: async () => {} })
  }

  /** An entry that changed meanwhile names other bytes: then there is nothing to mark, the reader came too late. */
  async #damaged(name: EntryName, entry: Entry, what: string): Promise<Error> {
    const { digest, generation } = entry
    const now = await this.#entries.read(name)
    if (now?.generation.equals(generation) !== true) {
      return new Error(`${digest} was removed or replaced long ago, while it was being read`)
    }
    if (!now.damaged) {
      await this.#entries.markDamaged(name, now)
      this.#onDamage?.({ digest, what })
    }
    return new DamagedBlobError(digest, what)
  }
}
