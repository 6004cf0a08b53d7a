import { tryWriting } from '../../lmdb-folder.ts'
import type {
  BlobCapabilities,
  BlobStat,
  BlobStore,
  BlobUsage,
  ByteRange,
  EntryName,
  NewEntry,
  OpenBlob,
  PutOutcome,
  RemoveOutcome,
  ScanPage,
  ScrubOptions,
  ScrubPage,
  SmallEntry,
} from '../port.ts'

export interface Opening {
  readonly path: string
  readonly retryEveryMs: number
  readonly open: () => Promise<BlobStore>
  readonly openReadOnly: (why: Error) => Promise<BlobStore>
}

/**
 * A store on a disk that took no writes when it was opened. It is read until the disk takes them; then it is opened as
 * any other, once, while those who ask meanwhile wait.
 */
export class UntilWritable implements BlobStore {
  readonly capabilities: BlobCapabilities
  readonly inlineBytes: number
  readonly #opening: Opening
  /** Calls that look at the store of this moment. */
  readonly #running = new Set<Promise<unknown>>()
  #store: BlobStore
  #usage: BlobUsage | undefined
  /** Set while there is none to ask. */
  #swapping: Promise<void> | undefined
  /** Of the store of this moment: aborted when it is to be closed. */
  #leaving = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(store: BlobStore, opening: Opening) {
    this.capabilities = store.capabilities
    this.inlineBytes = store.inlineBytes
    this.#store = store
    this.#opening = opening
    this.#tryLater()
  }

  putSmall(entries: readonly SmallEntry[]): Promise<readonly PutOutcome[]> {
    return this.#ask((store) => store.putSmall(entries))
  }

  put(
    entry: NewEntry,
    source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<PutOutcome> {
    return this.#ask((store) => store.put(entry, source, signal))
  }

  open(name: EntryName, range?: ByteRange): Promise<OpenBlob | undefined> {
    return this.#ask((store) => store.open(name, range))
  }

  stat(names: readonly EntryName[]): Promise<readonly (BlobStat | undefined)[]> {
    return this.#ask((store) => store.stat(names))
  }

  remove(names: readonly EntryName[]): Promise<readonly RemoveOutcome[]> {
    return this.#ask((store) => store.remove(names))
  }

  scan(namespace: string, after: string | undefined, limit: number): Promise<ScanPage> {
    return this.#ask((store) => store.scan(namespace, after, limit))
  }

  namespaces(): Promise<readonly string[]> {
    return this.#ask(async (store) => (await store.namespaces()) ?? [])
  }

  /** A page lasts for minutes at its pace, so nobody waits for it: it is left, and begun again in the next store. */
  async scrub(options: ScrubOptions): Promise<ScrubPage> {
    for (;;) {
      const page = await this.#ask((store) => this.#scrubUntilLeft(store, options))
      if (page !== undefined) return page
    }
  }

  async #scrubUntilLeft(store: BlobStore, options: ScrubOptions): Promise<ScrubPage | undefined> {
    const { signal } = this.#leaving
    // Many pages are scrubbed until the store is left: none keeps a listener.
    const ended = new AbortController()
    const left = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: ended.signal })
    })
    // Whether it is between two pieces or not.
    left.catch(() => {})
    const pace = async (sizeBytes: number): Promise<void> => {
      signal.throwIfAborted()
      await Promise.race([options.pace?.(sizeBytes), left])
    }
    try {
      return (await store.scrub({ ...options, pace })) ?? { blobs: 0, sizeBytes: 0, damaged: 0 }
    } catch (error) {
      if (signal.aborted && error === signal.reason) return undefined
      throw error
    } finally {
      ended.abort()
    }
  }

  usage(): BlobUsage | undefined {
    return this.#swapping === undefined ? this.#store.usage() : this.#usage
  }

  check(): Promise<void> {
    return this.#ask((store) => store.check())
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#swapping
    await this.#store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask<Result>(ask: (store: BlobStore) => Promise<Result>): Promise<Result> {
    while (this.#swapping !== undefined) await this.#swapping
    const asked = ask(this.#store)
    this.#running.add(asked)
    try {
      return await asked
    } finally {
      this.#running.delete(asked)
    }
  }

  #tryLater(): void {
    this.#timer = setTimeout(() => void this.#try(), this.#opening.retryEveryMs).unref()
  }

  async #try(): Promise<void> {
    try {
      await tryWriting(this.#opening.path)
    } catch {
      return this.#tryLater()
    }
    if (this.#closed) return
    this.#swapping = this.#swap().finally(() => (this.#swapping = undefined))
    await this.#swapping
  }

  /** LMDB must not have one folder open twice in a process, so the old one is closed first. */
  async #swap(): Promise<void> {
    const { open, openReadOnly } = this.#opening
    this.#usage = this.#store.usage()
    this.#leaving.abort()
    this.#leaving = new AbortController()
    await Promise.allSettled(this.#running)
    await this.#store.close()
    try {
      this.#store = await open()
    } catch (error) {
      this.#tryLater()
      const why = error instanceof Error ? error : new Error(String(error))
      // Where that fails too, whoever asks is told that the store is closed, until the next attempt.
      this.#store = await openReadOnly(why).catch(() => this.#store)
    }
  }
}
