import { PassThrough } from 'node:stream'
import { sha256 } from './hash.ts'
import {
  DamagedBlobError,
  type BlobStat,
  type BlobStore,
  type ByteRange,
  type EntryName,
  type OpenBlob,
} from './port.ts'

/** - `hit`: from the cache. - `miss`: from the store, and kept where there was room. - `failed`: the cache broke. */
export type TierRead = 'hit' | 'miss' | 'failed'

export interface TierOptions {
  /** What counts. */
  readonly store: BlobStore
  /** Loses what it likes; closed with the store. */
  readonly cache: BlobStore
  /** Per name that was there; with the error of a cache that broke, which no reader sees. */
  readonly onRead?: (outcome: TierRead, error?: unknown) => void
}

/** The family of what is kept in the cache. */
export const tierFamily = 'tier'

const unused = 'what the cache answers is no use of the entry in the store'

/** Kept at the same time; what more is read meanwhile is not. */
const maxFills = 32

/**
 * A store behind a local cache of its bytes. Every read asks the store where the name leads now, so removals and
 * replacements by other processes hold at once; only the bytes come from the cache, verified there as in any store.
 * What is read to its end is kept; ranges are served from what is kept, and never fill it. Writes go to the store alone.
 * Everything else is the store's; that it `lacks` policies is added. Cost of a hit: one `stat` of the store.
 */
export function tieredBlobStore({ store, cache, onRead = () => {} }: TierOptions): BlobStore {
  const fills = new Map<string, Promise<unknown>>()

  async function open(name: EntryName, range: ByteRange = { start: 0 }): Promise<OpenBlob | undefined> {
    const [found] = await store.stat([name])
    if (found === undefined) return undefined
    const kept = await fromCache(cacheName(name), found, range)
    if (kept !== undefined) return kept
    const blob = await store.open(name, range)
    if (blob === undefined) return undefined
    const whole = blob.range.start === 0 && blob.range.end === blob.sizeBytes
    return whole && blob.digest === found.digest ? keeping(cacheName(name), blob) : blob
  }

  async function fromCache(name: EntryName, found: BlobStat, range: ByteRange): Promise<OpenBlob | undefined> {
    try {
      const [known] = await cache.stat([name])
      const blob = known?.digest === found.digest ? await cache.open(name, range) : undefined
      if (blob?.digest === found.digest) {
        onRead('hit')
        return blob
      }
      await blob?.close()
      onRead('miss')
    } catch (error) {
      // Damage was reported by the cache itself, and the next one who reads to the end makes it good.
      if (error instanceof DamagedBlobError || error instanceof RangeError) onRead('miss')
      else onRead('failed', error)
    }
    return undefined
  }

  /** The same blob, which is kept while it is read. */
  function keeping(name: EntryName, blob: OpenBlob): OpenBlob {
    if (fills.size >= maxFills || fills.has(name.key)) return blob
    if (blob.bytes !== undefined) {
      fill(name, [blob.bytes], blob)
      return blob
    }
    // The cache still has the pieces when the reader has done with them.
    const { release: _, ...kept } = blob
    return { ...kept, body: () => copied(name, blob) }
  }

  async function* copied(name: EntryName, blob: OpenBlob): AsyncGenerator<Buffer> {
    if (fills.size >= maxFills || fills.has(name.key)) {
      yield* blob.body()
      return
    }
    const copy = new PassThrough()
    // Its end is the cache's affair.
    copy.on('error', () => {})
    fill(name, copy, blob)
    try {
      for await (const piece of blob.body()) {
        if (!copy.destroyed && !copy.write(piece)) await drained(copy)
        yield piece
      }
      copy.end()
    } finally {
      // One who left early, or met damage, has shown the cache a part only.
      if (!copy.writableEnded) copy.destroy(new Error('not read to the end'))
    }
  }

  function fill(name: EntryName, source: Iterable<Buffer> | PassThrough, { digest }: BlobStat): void {
    const leftEarly = (): boolean => source instanceof PassThrough && source.errored !== null
    const filling = cache
      .put({ name, digest }, source)
      .catch((error: unknown) => (leftEarly() ? undefined : onRead('failed', error)))
      .finally(() => {
        fills.delete(name.key)
        if (source instanceof PassThrough) source.destroy()
      })
    fills.set(name.key, filling)
  }

  async function close(): Promise<void> {
    await Promise.all(fills.values())
    await Promise.all([store.close(), cache.close()])
  }

  return {
    capabilities: { ...store.capabilities, lacks: { policies: unused, ...store.capabilities.lacks } },
    inlineBytes: store.inlineBytes,
    putSmall: (entries) => store.putSmall(entries),
    put: (entry, source, signal) => store.put(entry, source, signal),
    open,
    stat: (names) => store.stat(names),
    remove: (names) => store.remove(names),
    scan: (namespace, after, limit) => store.scan(namespace, after, limit),
    namespaces: () => store.namespaces(),
    scrub: (options) => store.scrub(options),
    usage: () => store.usage(),
    check: () => store.check(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** By a hash, for a namespace and a key together may be longer than a key. */
function cacheName({ namespace, key }: EntryName): EntryName {
  return { namespace: tierFamily, key: sha256(Buffer.from(`${namespace}/${key}`)) }
}

/** Resolves when there is room again, or never will be. */
function drained(copy: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      copy.off('drain', done).off('close', done)
      resolve()
    }
    copy.once('drain', done).once('close', done)
  })
}
