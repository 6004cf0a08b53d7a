import { NotAppliedError } from '../outcome.ts'
import { beginningOf } from './collect.ts'
import { ChunkHasher } from './hash.ts'
import { itemByItem } from './item-by-item.ts'
import { assertName } from './name.ts'
import type {
  BlobCapabilities,
  BlobStat,
  BlobStore,
  ByteRange,
  EntryName,
  NewEntry,
  OpenBlob,
  PutOutcome,
  RemoveOutcome,
  ScanPage,
  SmallEntry,
} from './port.ts'
import { Running } from './running.ts'
import { Bucket } from './s3/bucket.ts'
import { describeWhole, newGeneration } from './s3/described.ts'
import { entryKey, folderOf, longestKeyBytes } from './s3/keys.ts'
import { Objects } from './s3/objects.ts'
import { openBucket } from './s3/open-bucket.ts'
import { notApplied } from './s3/outcome.ts'
import { Reader } from './s3/reader.ts'
import { scanObjects } from './s3/scan.ts'
import { storeObject } from './s3/store-object.ts'
import { parseS3Url } from './s3/target.ts'
import { partBytes, Upload } from './s3/upload.ts'
import { refuseQuota, type ServerBlobOptions } from './server-options.ts'

export interface S3BlobOptions extends ServerBlobOptions {
  /** See `parseS3Url`. */
  readonly url: string
}

type Source = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const capabilities: BlobCapabilities = {
  durable: true,
  shared: true,
  lacks: {
    'one-copy': 'S3 changes one object at a time, so nothing can count the names of some bytes',
    usage: 'a sum over all objects would be a listing of the bucket',
    'one-commit': 'each object is a request of its own',
    'exact-outcomes': 'a removal answers the same whether there was an object or not, so it is asked before',
    'linearizable-remove': 'a removal has no condition: one whose answer was lost may arrive after a later put',
    policies: 'what the least recently used object is, or the sum of a family, would be a listing of the bucket',
    scrub: 'reading a bucket from end to end is paid for by the byte; let its own integrity checks do it',
    namespaces: 'they are not kept apart from the keys: finding them would be a listing of the bucket',
    'long-keys': 'a key of S3 has 1024 bytes, and ours are escaped',
  },
}

/**
 * Blobs in S3, or what speaks its protocol and honours `If-None-Match: *`, which is tried when the store is opened: one
 * object per name. Up to 8 MiB are one PUT with digest and hashes in its metadata; more is a multipart upload, verified
 * before it is completed. A crash leaves at most an incomplete upload, invisible: give the bucket a lifecycle rule
 * that aborts those after a day.
 *
 * Durable means what the server means by it: AWS keeps an object in several data centres before it answers.
 * Costs: a new small blob is one request, an existing one three, a read one (over 256 KiB two, over 8 MiB three), a
 * removal three; a page of a scan is one for each entry and one more.
 */
export async function s3BlobStore(options: S3BlobOptions): Promise<BlobStore> {
  const { timeoutMs = 5000 } = options
  const target = parseS3Url(options.url)
  refuseQuota(options, target.label)
  return new S3BlobStore(await openBucket(target, timeoutMs), options)
}

class S3BlobStore implements BlobStore {
  readonly capabilities = capabilities
  readonly inlineBytes = 64 * 1024
  readonly #bucket: Bucket
  readonly #objects: Objects
  readonly #reader: Reader
  readonly #maxBlobBytes: number
  readonly #running = new Running()
  #closed: Promise<void> | undefined

  constructor(bucket: Bucket, { maxBlobBytes = Infinity, onDamage }: S3BlobOptions) {
    this.#bucket = bucket
    this.#objects = new Objects(bucket)
    this.#reader = new Reader(this.#objects, onDamage)
    this.#maxBlobBytes = maxBlobBytes
  }

  async putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]> {
    for (const { name } of entries) assertName(name, longestKeyBytes)
    return this.#running.write(() =>
      itemByItem(
        entries,
        ({ name }) => name,
        (entry) => this.#putWhole(entry, this.inlineBytes),
      ),
    )
  }

  async put(entry: NewEntry, source: Source, signal?: AbortSignal): Promise<PutOutcome> {
    assertName(entry.name, longestKeyBytes)
    return this.#running.write(async () => {
      const { bytes, rest } = await beginningOf(source, Math.min(partBytes, this.#maxBlobBytes), signal)
      if (rest === undefined) return this.#putWhole({ ...entry, bytes }, this.#maxBlobBytes)
      try {
        return await this.#receive(entry, bytes, rest, signal)
      } finally {
        await rest.return?.()
      }
    })
  }

  async open(name: EntryName, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    assertName(name, longestKeyBytes)
    return this.#reader.open(name, range)
  }

  async stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    for (const name of names) assertName(name, longestKeyBytes)
    return Promise.all(
      names.map(async (name) => {
        const found = await this.#objects.describe(name)
        return found && { digest: found.hashes.digest, sizeBytes: found.hashes.sizeBytes }
      }),
    )
  }

  async remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]> {
    for (const name of names) assertName(name, longestKeyBytes)
    return this.#running.write(() =>
      itemByItem(
        names,
        (name) => name,
        (name) => this.#remove(name),
      ),
    )
  }

  async scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    assertName({ namespace, key: 'any' })
    return scanObjects(this.#objects, namespace, folderOf(namespace), after, limit)
  }

  scrub(): undefined {
    return undefined
  }

  namespaces(): undefined {
    return undefined
  }

  usage(): undefined {
    return undefined
  }

  async check(): Promise<void> {
    this.#running.assertOpen()
    await this.#bucket.checkBucket()
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#running.close().then(() => this.#bucket.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #putWhole(entry: SmallEntry, limitBytes: number): Promise<PutOutcome> {
    const { name, digest: expected, bytes } = entry
    if (bytes.length > limitBytes) return { outcome: 'too-large', limitBytes }
    const hasher = new ChunkHasher()
    hasher.update(bytes)
    const hashes = hasher.finish()
    if (expected !== undefined && expected !== hashes.digest) return { outcome: 'mismatch', digest: hashes.digest }
    const generation = newGeneration()
    const metadata = describeWhole(generation, hashes)
    return storeObject(this.#objects, entry, generation, hashes, (onlyIfNew) =>
      this.#bucket.put(entryKey(name), bytes, metadata, onlyIfNew),
    )
  }

  async #receive(
    entry: NewEntry,
    beginning: Buffer,
    rest: AsyncIterator<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<PutOutcome> {
    const upload = await this.#before(() => Upload.begin(this.#objects, entry))
    let published = false
    try {
      for (let piece: Uint8Array | undefined = beginning; piece !== undefined; piece = await nextOf(rest)) {
        signal?.throwIfAborted()
        if (upload.sizeBytes + piece.length > this.#maxBlobBytes) {
          return { outcome: 'too-large', limitBytes: this.#maxBlobBytes }
        }
        const bytes = piece
        await this.#before(() => upload.write(bytes))
      }
      signal?.throwIfAborted()
      const hashes = await this.#before(() => upload.finish())
      const { digest } = hashes
      if (entry.digest !== undefined && entry.digest !== digest) return { outcome: 'mismatch', digest }
      published = true
      return await upload.publish(hashes)
    } catch (error) {
      if (error instanceof NotAppliedError) published = false
      throw error
    } finally {
      if (!published) await upload.discard()
    }
  }

  async #remove(name: EntryName): Promise<'removed' | 'missing'> {
    const found = await this.#before(() => this.#objects.describe(name))
    if (found === undefined) return 'missing'
    await this.#bucket.remove(entryKey(name))
    await this.#objects.forget(found)
    return 'removed'
  }

  /** What fails before the object is stored has changed nothing that anybody can see. */
  async #before<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw notApplied(error, this.#bucket.label)
    }
  }
}

async function nextOf(source: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const next = await source.next()
  return next.done === true ? undefined : next.value
}
