import type { LmdbEnvironment, LmdbTable } from '../../lmdb-environment.ts'
import type { Digest, ScannedEntry, ScanPage } from '../port.ts'
import type { Ledger } from './ledger.ts'
import * as records from './records.ts'

/** Reads what there is, in pages; current over all processes. */
export class Listing {
  readonly #environment: LmdbEnvironment
  readonly #entries: LmdbTable
  readonly #blobs: LmdbTable
  readonly #ledger: Ledger

  constructor(environment: LmdbEnvironment, ledger: Ledger) {
    this.#environment = environment
    this.#entries = environment.table('entries')
    this.#blobs = environment.table('blobs')
    this.#ledger = ledger
  }

  scan(namespace: string, after: string | undefined, limit: number): ScanPage {
    this.#environment.refresh()
    const { start, end } = records.entryRange(namespace)
    const cursor = after === undefined ? start : Buffer.from(after, 'base64url')
    // Cursors come back from clients: one that was made up must not lead into another namespace.
    if (Buffer.compare(cursor, end) >= 0) return { entries: [] }
    const from = Buffer.compare(cursor, start) < 0 ? start : cursor
    const entries: ScannedEntry[] = []
    let last: Buffer | undefined
    let seen = 0
    for (const { key, value } of Array.from(this.#entries.range({ start: from, end, limit: limit + 1 }))) {
      if (seen++ === limit) return last === undefined ? { entries } : { entries, next: successor(last) }
      last = key
      const name = records.keyOf(key)
      const digest = records.decodeEntry(name, value)
      if (!this.#ledger.isExpired({ namespace, key: name }))
        entries.push({ key: name, digest, sizeBytes: this.#sizeOf(digest) })
    }
    return { entries }
  }

  namespaces(): readonly string[] {
    this.#environment.refresh()
    const found: string[] = []
    for (let start: Uint8Array = Buffer.alloc(1); ;) {
      const [first] = Array.from(this.#entries.range({ start, limit: 1 }))
      if (first === undefined) return found.toSorted()
      const { namespace } = records.nameOf(first.key)
      found.push(namespace)
      start = records.entryRange(namespace).end
    }
  }

  /** Of all blobs, in their order. */
  digests(after: string | undefined, limit: number): { digests: readonly Digest[]; next?: Digest } {
    this.#environment.refresh()
    const start = after === undefined ? Buffer.alloc(1) : Buffer.concat([Buffer.from(after, 'hex'), Buffer.alloc(1)])
    const digests = Array.from(this.#blobs.range({ start, limit: limit + 1 }), ({ key }) => key.toString('hex'))
    const last = digests[limit - 1]
    return digests.length > limit && last !== undefined ? { digests: digests.slice(0, limit), next: last } : { digests }
  }

  #sizeOf(digest: Digest): number {
    const value = this.#blobs.get(Buffer.from(digest, 'hex'))
    return value === undefined ? 0 : records.decodeRecord(value).sizeBytes
  }
}

/** The first key behind this one, as a cursor. */
function successor(key: Buffer): string {
  return Buffer.concat([key, Buffer.from([0])]).toString('base64url')
}
