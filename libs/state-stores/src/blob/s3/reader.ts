import { openChunkedBlob } from '../chunked-blob.ts'
import { assertChunk, ChunkMismatchError, chunksOf } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'
import { inMemoryBlob } from '../in-memory-blob.ts'
import { DamagedBlobError, type BlobOptions, type ByteRange, type EntryName, type OpenBlob } from '../port.ts'
import { clip } from '../range.ts'
import type { Objects, StoredObject } from './objects.ts'
import { statusOf } from './outcome.ts'
import { readExactly } from './read-exactly.ts'

type Opened = NonNullable<Awaited<ReturnType<Objects['open']>>>

/** Gives out bytes only after they were verified, chunk by chunk while they arrive. */
export class Reader {
  readonly #objects: Objects
  readonly #onDamage: BlobOptions['onDamage']

  constructor(objects: Objects, onDamage: BlobOptions['onDamage']) {
    this.#objects = objects
    this.#onDamage = onDamage
  }

  async open(name: EntryName, range: ByteRange): Promise<OpenBlob | undefined> {
    const opened = await this.#get(name, range)
    if (opened === undefined) return undefined
    const { stream, hashes, generation } = opened
    const { digest, sizeBytes } = hashes
    // An error that comes when nobody reads any more is nobody's.
    stream.on('error', () => {})
    const close = async (): Promise<void> => void stream.destroy()
    try {
      const clipped = clip(range, sizeBytes)
      // One chunk is verified whole before anything is given out, each time; of several, later ones may be the bad ones.
      if (sizeBytes > chunkBytes && (await this.#objects.isDamaged(generation))) {
        throw new DamagedBlobError(digest, 'found earlier')
      }
      const read = (index: number): Promise<Buffer> => this.#chunk(opened, index)
      if (sizeBytes > chunkBytes) return await openChunkedBlob({ digest, sizeBytes, range: clipped, read, close })
      const blob = inMemoryBlob(digest, await read(0), clipped)
      await close()
      return blob
    } catch (error) {
      await close()
      throw error
    }
  }

  /** Whole chunks from the first one of the range on. */
  async #get(name: EntryName, range: ByteRange): Promise<Opened | undefined> {
    const { first, last } = chunksOf({ start: range.start, end: range.end ?? Infinity })
    const whole = first === 0 && last === Infinity
    const end = Math.max(first, last) === Infinity ? '' : (Math.max(first, last) + 1) * chunkBytes - 1
    try {
      return await this.#objects.open(name, whole ? undefined : `bytes=${first * chunkBytes}-${end}`)
    } catch (error) {
      if (!(error instanceof Error) || statusOf(error.cause) !== 416) throw error
      const object = await this.#objects.describe(name)
      if (object === undefined) return undefined
      const { sizeBytes } = object.hashes
      clip(range, sizeBytes)
      // Of nothing there is no range, and yet "all of it" is a fair question; shorter than it was is damage.
      if (sizeBytes > 0) throw await this.#damaged(object, `it ends before byte ${first * chunkBytes}`)
      return this.#objects.open(name)
    }
  }

  async #chunk(opened: Opened, index: number): Promise<Buffer> {
    const { stream, hashes } = opened
    const { timeoutMs, label } = this.#objects.bucket
    const length = Math.min(chunkBytes, hashes.sizeBytes - index * chunkBytes)
    const bytes = await readExactly(stream, length, timeoutMs, label)
    try {
      if (bytes.length < length && stream.readableEnded) throw new ChunkMismatchError(`it ends in chunk ${index}`)
      if (bytes.length < length) throw new Error(`${label}: the connection was lost while reading`)
      assertChunk(bytes, hashes.chunks, index)
      return bytes
    } catch (error) {
      if (!(error instanceof ChunkMismatchError)) throw error
      throw await this.#damaged(opened, error.message)
    }
  }

  /** The object stays as it is, under a mark; whoever marks it first reports it. */
  async #damaged({ generation, hashes: { digest } }: StoredObject, what: string): Promise<DamagedBlobError> {
    const first = await this.#objects.markDamaged(generation, digest, what)
    if (first) this.#onDamage?.({ digest, what })
    return new DamagedBlobError(digest, what)
  }
}
