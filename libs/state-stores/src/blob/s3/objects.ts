import type { Readable } from 'node:stream'
import type { Hashes } from '../hash.ts'
import type { EntryName } from '../port.ts'
import type { Bucket } from './bucket.ts'
import { decodeHashes, described } from './described.ts'
import { damageKey, entryKey, hashesKey } from './keys.ts'
import { readExactly } from './read-exactly.ts'

export interface StoredObject {
  readonly generation: string
  readonly hashes: Hashes
  /** Its hashes are an object of their own. */
  readonly inParts: boolean
}

/** The objects of one prefix, as this store understands them. */
export class Objects {
  readonly bucket: Bucket

  constructor(bucket: Bucket) {
    this.bucket = bucket
  }

  /** Undefined when there is none, or when it was removed at this moment. */
  async describe(name: EntryName): Promise<StoredObject | undefined> {
    const key = entryKey(name)
    const found = await this.bucket.head(key)
    if (found === undefined) return undefined
    return this.#complete(described(found, key))
  }

  /** As `describe`, with the bytes; whoever gets a stream destroys it. */
  async open(name: EntryName, range?: string): Promise<(StoredObject & { readonly stream: Readable }) | undefined> {
    const key = entryKey(name)
    const found = await this.bucket.get(key, range)
    if (found === undefined) return undefined
    try {
      const object = await this.#complete(described(found, key))
      if (object !== undefined) return { ...object, stream: found.stream }
    } catch (error) {
      found.stream.destroy()
      throw error
    }
    found.stream.destroy()
    return undefined
  }

  async isDamaged(generation: string): Promise<boolean> {
    return (await this.bucket.head(damageKey(generation))) !== undefined
  }

  async markDamaged(generation: string, digest: string, what: string): Promise<boolean> {
    return (await this.bucket.put(damageKey(generation), Buffer.from(what), { digest }, true)) === 'stored'
  }

  /** What belonged to an object that is gone. What fails here stays behind, unused. */
  async forget({ generation, inParts }: StoredObject): Promise<void> {
    await Promise.allSettled([
      inParts ? this.bucket.remove(hashesKey(generation)) : undefined,
      this.bucket.remove(damageKey(generation)),
    ])
  }

  async #complete({ generation, hashes }: ReturnType<typeof described>): Promise<StoredObject | undefined> {
    if (hashes !== undefined) return { generation, hashes, inParts: false }
    const found = await this.bucket.get(hashesKey(generation))
    // Removed after the object that names it.
    if (found === undefined) return undefined
    const bytes = await readExactly(found.stream, found.sizeBytes, this.bucket.timeoutMs, this.bucket.label)
    found.stream.destroy()
    return { generation, hashes: decodeHashes(bytes), inParts: true }
  }
}
