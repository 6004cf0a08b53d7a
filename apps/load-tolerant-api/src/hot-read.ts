import type { DocumentStore } from '@ballast/state-stores/document'
import { type CacheStore, ReadThrough } from '@ballast/state-stores/cache'

const hotKey = 'first:write'
const readsPerRequest = 5
/** Until the first document is stored the answer is null; ask again soon. */
const negativeTtlMs = 100
const retryMs = 1000

export interface HotReadOptions {
  readonly cache: CacheStore
  readonly documents: DocumentStore
  readonly ttlMs: number
  readonly staleMs: number
}

/** The read of the assessment: the first document of type `write`, five times a request, through one cached key. */
export class HotRead {
  readonly #reads: ReadThrough
  /** The same document for minutes: its array is not put together for each request. */
  #last: { readonly id: string | undefined; readonly json: string } = { id: undefined, json: jsonOf(undefined) }

  constructor({ cache, documents, ttlMs, staleMs }: HotReadOptions) {
    const load = async (): Promise<string | undefined> => (await documents.findFirst({ type: 'write' }))?.id
    this.#reads = new ReadThrough({ cache, load, ttlMs, staleMs, negativeTtlMs, retryMs })
  }

  get counts(): ReadThrough['counts'] {
    return this.#reads.counts
  }

  /**
   * Five reads as a JSON array of ids. A read that fails is null, like one that finds nothing: the write before it
   * has been acknowledged by the queue, and an error would deny that.
   */
  async asJson(): Promise<string> {
    const id = await this.#reads.read(hotKey, readsPerRequest).catch(() => undefined)
    if (id !== this.#last.id) this.#last = { id, json: jsonOf(id) }
    return this.#last.json
  }
}

function jsonOf(id: string | undefined): string {
  return `[${Array.from({ length: readsPerRequest }, () => (id === undefined ? 'null' : `"${id}"`)).join(',')}]`
}
