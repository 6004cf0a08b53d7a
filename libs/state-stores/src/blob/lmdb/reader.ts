import type { FileHandle } from 'node:fs/promises'
import { messageOf } from '../../message-of.ts'
import { NotAppliedError } from '../../outcome.ts'
import { ChunkMismatchError } from '../chunks.ts'
import { chunkBytes, sha256 } from '../hash.ts'
import { DamagedBlobError, UnreadableBlobError, type ByteRange, type Damage, type Digest } from '../port.ts'
import type { EntryName, OpenBlob } from '../port.ts'
import { inMemoryBlob } from '../in-memory-blob.ts'
import { clip } from '../range.ts'
import type { Catalog } from './catalog.ts'
import { openChunkedFile } from './chunked-file.ts'
import type { BlobFiles } from './files.ts'
import { ChunkReads } from './read-chunks.ts'
import { inlineBytes, type FileContent, type InlineContent, type Record } from './records.ts'

/** Gives out bytes only after they were verified; sets aside what is damaged. */
export class Reader {
  readonly #catalog: Catalog
  readonly #files: BlobFiles
  readonly #onDamage: ((damage: Damage) => void) | undefined
  readonly #reads = new ChunkReads()
  /** Reported, but not marked, because the disk takes no writes. */
  readonly #unmarked = new Set<Digest>()

  constructor(catalog: Catalog, files: BlobFiles, onDamage: ((damage: Damage) => void) | undefined) {
    this.#catalog = catalog
    this.#files = files
    this.#onDamage = onDamage
  }

  async open(name: EntryName, range: ByteRange): Promise<OpenBlob | undefined> {
    for (;;) {
      const found = this.#catalog.find(name)
      if (found === undefined) return undefined
      const { digest, record } = found
      if (record === undefined || record.damaged) throw new DamagedBlobError(digest, 'found earlier')
      const { content } = record
      const clipped = clip(range, record.sizeBytes)
      if ('bytes' in content) {
        const bytes = verified(digest, content, record.sizeBytes)
        if (bytes !== undefined) return inMemoryBlob(digest, bytes, clipped)
        throw await this.#damaged(digest, record, 'in the database')
      }
      const file = await this.#files.read({ digest, generation: content.generation }).catch(unreadable)
      if (file !== undefined) return this.#inFile(digest, record, content, clipped, file)
      // Removed, and perhaps put again, since it was looked up: then the record is another one.
      const again = this.#catalog.find(name)?.record
      if (again !== undefined && 'generation' in again.content && again.content.generation === content.generation) {
        throw await this.#damaged(digest, record, 'its file is missing')
      }
    }
  }

  /** Undefined where there is more to say than that, or more to do. */
  peek(name: EntryName): Buffer | undefined {
    const found = this.#catalog.find(name)
    if (found?.record === undefined || found.record.damaged) return undefined
    const { content, sizeBytes } = found.record
    return 'bytes' in content ? verified(found.digest, content, sizeBytes) : undefined
  }

  /**
   * Reads what is stored for a digest from end to end, so that whoever brings the bytes again is not sent away for a
   * copy that is damaged or gone: such a copy is set aside here. Undefined: there is none to rely on.
   * Cost: one read and hash of the blob, but only where the bytes are there already.
   * Errors: `NotAppliedError` when the copy cannot be read at all.
   */
  async intact(digest: Digest, pace?: (sizeBytes: number) => Promise<void>): Promise<Record | undefined> {
    const record = this.#catalog.recordOf(digest)
    if (record === undefined || record.damaged) return undefined
    const what = await this.#damageIn(digest, record, pace)
    if (what === undefined) return record
    await this.#setAside(digest, record, what)
    return undefined
  }

  /** As `intact`, for one who looks at everything; damage is also found on a disk that takes no mark of it. */
  async scrub(digest: Digest, pace?: (sizeBytes: number) => Promise<void>): Promise<Record | 'damaged' | undefined> {
    const record = this.#catalog.blob(digest)
    if (record === undefined) return undefined
    const what = record.damaged ? 'found earlier' : await this.#damageIn(digest, record, pace)
    if (what === undefined) return record
    if (!record.damaged) await this.#damaged(digest, record, what)
    // Perhaps it was removed meanwhile, or brought again.
    return this.#unmarked.has(digest) || this.#catalog.blob(digest)?.damaged === true ? 'damaged' : undefined
  }

  async #damageIn(
    digest: Digest,
    { content, sizeBytes }: Record,
    pace: (sizeBytes: number) => Promise<void> = async () => {},
  ): Promise<string | undefined> {
    if ('bytes' in content) {
      await pace(sizeBytes)
      return verified(digest, content, sizeBytes) === undefined ? 'in the database' : undefined
    }
    let pacing = false
    try {
      await using file = await this.#files.read({ digest, generation: content.generation })
      if (file === undefined) return 'its file is missing'
      for (let index = 0; index * chunkBytes < sizeBytes; index++) {
        const chunk = await this.#reads.read({ file, content, index, sizeBytes })
        pacing = true
        const read = chunk.reduce((bytes, { length }) => bytes + length, 0)
        for (const piece of chunk) this.#reads.release(piece)
        await pace(read)
        pacing = false
      }
      return undefined
    } catch (cause) {
      if (cause instanceof ChunkMismatchError) return cause.message
      // The caller's own way to end it.
      if (pacing) throw cause
      throw new NotAppliedError(`the stored copy of ${digest} could not be read`, { cause })
    }
  }

  #inFile(
    digest: Digest,
    record: Record,
    content: FileContent,
    range: Required<ByteRange>,
    file: FileHandle,
  ): Promise<OpenBlob> {
    const { sizeBytes } = record
    const read = async (index: number): Promise<readonly Buffer[]> => {
      try {
        return await this.#reads.read({ file, content, index, sizeBytes })
      } catch (error) {
        if (!(error instanceof ChunkMismatchError)) return unreadable(error)
        throw await this.#damaged(digest, record, error.message)
      }
    }
    const release = (piece: Buffer): void => this.#reads.release(piece)
    return openChunkedFile({ digest, sizeBytes, range, file, read, release })
  }

  /** For one who reads; whether the disk takes the mark or not, he does not get the bytes. */
  async #damaged(digest: Digest, record: Record, what: string): Promise<DamagedBlobError> {
    try {
      await this.#setAside(digest, record, what)
    } catch {
      // Each who reads it finds it again, and it is reported once.
      if (!this.#unmarked.has(digest)) this.#onDamage?.({ digest, what })
      this.#unmarked.add(digest)
    }
    return new DamagedBlobError(digest, what)
  }

  /** Rejects when it cannot be marked: then nobody may rely on the copy that is there. */
  async #setAside(digest: Digest, record: Record, what: string): Promise<void> {
    const { result: first } = await this.#catalog.change((changes) => changes.markDamaged(digest, record))
    if (!first) return
    if (!this.#unmarked.delete(digest)) this.#onDamage?.({ digest, what })
    if ('generation' in record.content) await this.#files.setAside({ digest, generation: record.content.generation })
  }
}

/** What is stored in a record; undefined: it is damaged. */
function verified(digest: Digest, content: InlineContent, sizeBytes: number): Buffer | undefined {
  const bytes = inlineBytes(content, sizeBytes)
  return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined
}

function unreadable(cause: unknown): never {
  throw new UnreadableBlobError(`a file of the store cannot be read: ${messageOf(cause)}`, { cause })
}
