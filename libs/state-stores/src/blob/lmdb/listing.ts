import type { LmdbEnvironment, LmdbTable } from '../../lmdb-environment.ts'
import type { Digest, ScannedEntry, ScanPage } from '../port.ts'
import type { Ledger } from './ledger.ts'
import { readCurrent } from './read-current.ts'
import * as records from './records.ts'

interface Row {
  /** As in the table of entries. */
  readonly key: Buffer
  readonly digest: Digest
}

/** Rows in order; `to` is the last key that was looked at, where there may be more. */
interface Rows {
  readonly rows: readonly Row[]
  readonly to?: Buffer
}

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
    return readCurrent(this.#environment, () => this.#scan(namespace, after, limit))
  }

  namespaces(): readonly string[] {
    return readCurrent(this.#environment, () => this.#namespaces())
  }

  /** Of all blobs, in their order. */
  digests(after: string | undefined, limit: number): { digests: readonly Digest[]; next?: Digest } {
    const start = after === undefined ? Buffer.alloc(1) : successor(Buffer.from(after, 'hex'))
    const found = readCurrent(this.#environment, () => Array.from(this.#blobs.range({ start, limit: limit + 1 })))
    const digests = found.map(({ key }) => key.toString('hex'))
    const last = digests[limit - 1]
    return digests.length > limit && last !== undefined ? { digests: digests.slice(0, limit), next: last } : { digests }
  }

  #scan(namespace: string, after: string | undefined, limit: number): ScanPage {
    const { start, end } = records.entryRange(namespace)
    const cursor = after === undefined ? start : Buffer.from(after, 'base64url')
    // Cursors come back from clients: one that was made up must not lead into another namespace.
    if (Buffer.compare(cursor, end) >= 0) return { entries: [] }
    const from = Buffer.compare(cursor, start) < 0 ? start : cursor
    const { rows, to } = merged(
      this.#rows(from, end, limit),
      records.isHomeNamespace(namespace) ? this.#homeRows(from, limit) : { rows: [] },
    )
    const page = rows.slice(0, limit)
    const entries = page.flatMap(({ key: row, digest }): ScannedEntry[] => {
      const key = records.keyOf(row)
      return this.#ledger.isExpired({ namespace, key }) ? [] : [{ key, digest, sizeBytes: this.#sizeOf(digest) }]
    })
    const last = rows.length > limit ? page.at(-1)?.key : to
    return last === undefined ? { entries } : { entries, next: successor(last).toString('base64url') }
  }

  #namespaces(): readonly string[] {
    const found: string[] = []
    for (let start: Uint8Array = Buffer.alloc(1); ;) {
      const [first] = Array.from(this.#entries.range({ start, limit: 1 }))
      if (first === undefined) break
      const { namespace } = records.nameOf(first.key)
      found.push(namespace)
      start = records.entryRange(namespace).end
    }
    const { namespace } = records.homeEntry('')
    if (!found.includes(namespace) && this.#isAnyHome()) found.push(namespace)
    return found.toSorted()
  }

  #rows(start: Buffer, end: Buffer, limit: number): Rows {
    const found = Array.from(this.#entries.range({ start, end, limit: limit + 1 }))
    const rows = found.map(({ key, value }) => ({ key, digest: records.decodeEntry(records.keyOf(key), value) }))
    const last = found[limit]
    return last === undefined ? { rows } : { rows, to: last.key }
  }

  /** Those that records hold. Looks at `limit` blobs and one more, so a page can be short where few are messages. */
  #homeRows(start: Buffer, limit: number): Rows {
    const first = records.entryKey(records.homeEntry('0'.repeat(64)))
    const prefixBytes = first.length - 32
    const from = Buffer.compare(start, first) < 0 ? Buffer.alloc(1) : start.subarray(prefixBytes)
    const found = Array.from(this.#blobs.range({ start: from, limit: limit + 1 }))
    const keyOf = (digest: Buffer): Buffer => Buffer.concat([first.subarray(0, prefixBytes), digest])
    const rows = found
      .filter(({ value }) => records.decodeRecord(value).home)
      .map(({ key }) => ({ key: keyOf(key), digest: key.toString('hex') }))
    const last = found[limit]
    return last === undefined ? { rows } : { rows, to: keyOf(last.key) }
  }

  #isAnyHome(): boolean {
    const { namespace } = records.homeEntry('')
    if (this.#ledger.usageOf(namespace).entries === 0) return false
    for (const { value } of this.#blobs.range()) if (records.decodeRecord(value).home) return true
    return false
  }

  #sizeOf(digest: Digest): number {
    const value = this.#blobs.get(Buffer.from(digest, 'hex'))
    return value === undefined ? 0 : records.decodeRecord(value).sizeBytes
  }
}

/** Both in one order, up to where both were looked at. */
function merged(one: Rows, other: Rows): Rows {
  const [to] = [one.to, other.to].filter((key) => key !== undefined).toSorted((a, b) => Buffer.compare(a, b))
  const rows = [...one.rows, ...other.rows].toSorted((a, b) => Buffer.compare(a.key, b.key))
  return to === undefined ? { rows } : { rows: rows.filter(({ key }) => Buffer.compare(key, to) <= 0), to }
}

/** The first key behind this one. */
function successor(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}
