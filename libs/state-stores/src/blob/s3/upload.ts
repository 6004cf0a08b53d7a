import { ChunkHasher, type Hashes } from '../hash.ts'
import type { NewEntry, PutOutcome } from '../port.ts'
import { describeParts, encodeHashes, newGeneration } from './described.ts'
import { entryKey, hashesKey } from './keys.ts'
import type { Objects } from './objects.ts'
import { storeObject } from './store-object.ts'

/** S3 wants parts of at least 5 MiB, and takes 10,000 of them: 80 GB. A multiple of the chunks. */
export const partBytes = 8 * 2 ** 20

/** Bytes on their way into an object, which nobody sees before it is completed. One part is in memory. */
export class Upload {
  readonly #objects: Objects
  readonly #entry: NewEntry
  readonly #generation = newGeneration()
  readonly #hasher = new ChunkHasher()
  readonly #tags: string[] = []
  #uploadId = ''
  #pieces: Uint8Array[] = []
  #pieceBytes = 0

  private constructor(objects: Objects, entry: NewEntry) {
    this.#objects = objects
    this.#entry = entry
  }

  static async begin(objects: Objects, entry: NewEntry): Promise<Upload> {
    const upload = new Upload(objects, entry)
    upload.#uploadId = await objects.bucket.beginUpload(upload.#key, describeParts(upload.#generation))
    return upload
  }

  get sizeBytes(): number {
    return this.#hasher.sizeBytes
  }

  get #key(): string {
    return entryKey(this.#entry.name)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hasher.update(bytes)
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + partBytes - this.#pieceBytes)
      this.#pieces.push(bytes.subarray(start, end))
      this.#pieceBytes += end - start
      start = end
      if (this.#pieceBytes === partBytes) await this.#send()
    }
  }

  /** All parts are at the server, and not visible. */
  async finish(): Promise<Hashes> {
    if (this.#pieceBytes > 0) await this.#send()
    return this.#hasher.finish()
  }

  /** The hashes first, then the object that needs them. */
  async publish(hashes: Hashes): Promise<PutOutcome> {
    const { bucket } = this.#objects
    await bucket.put(hashesKey(this.#generation), encodeHashes(hashes), {}, false)
    const outcome = await storeObject(this.#objects, this.#entry, this.#generation, hashes, (onlyIfNew) =>
      bucket.completeUpload(this.#key, this.#uploadId, this.#tags, onlyIfNew),
    )
    if (outcome.outcome === 'taken') await this.discard()
    if (outcome.outcome === 'exists') {
      const kept = await this.#objects.describe(this.#entry.name).catch(() => undefined)
      if (kept !== undefined && kept.generation !== this.#generation) await this.discard()
    }
    return outcome
  }

  /** What fails here is left to the bucket's rule for incomplete uploads. */
  async discard(): Promise<void> {
    const { bucket } = this.#objects
    await Promise.allSettled([
      bucket.abortUpload(this.#key, this.#uploadId),
      bucket.remove(hashesKey(this.#generation)),
    ])
  }

  async #send(): Promise<void> {
    const body = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#pieceBytes = 0
    const number = this.#tags.length + 1
    this.#tags.push(await this.#objects.bucket.putPart(this.#key, this.#uploadId, number, body))
  }
}
