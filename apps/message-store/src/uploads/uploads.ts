import { randomBytes } from 'node:crypto'
import { Problem } from '@ballast/service'
import type { EntryName, NewEntry } from '@ballast/state-stores/blob'
import type { Blobs } from '../blobs.ts'
import type { Family, MessageMetrics } from '../metrics.ts'
import { problems } from '../problems.ts'
import { storing, type Stored } from '../transfer/receive.ts'
import { Pieces } from './pieces.ts'

/** One entry per upload, so that abandoned ones are found: key = id, bytes = what `Marker` says. */
const index = 'uploads'

interface Marker {
  /** Whose it is: an id works nowhere else. */
  readonly scope: string
  readonly begunAtMs: number
}

interface Part {
  readonly name: EntryName
  readonly start: number
  readonly sizeBytes: number
}

export interface UploadOptions {
  readonly blobs: Blobs
  readonly metrics: MessageMetrics
  /** After this an upload that was not finished is forgotten. */
  readonly expiryMs?: number
  /** Largest part: what a connection that is cut costs at most. */
  readonly partBytes?: number
  readonly now?: () => number
}

/**
 * Uploads that survive a cut connection (OCI distribution-spec, "Pushing a blob in chunks"). What arrives becomes parts,
 * blobs of their own in the same store: durable before they are acknowledged, counted in its quota, seen by every
 * replica. At the end they are read, verified, and stored as one blob, whose digest is computed anew; it costs writing
 * the bytes twice. In one process an upload takes one request at a time; of two processes that write the same piece at
 * once one does, and the other one's request is refused.
 */
export class Uploads {
  readonly #blobs: Blobs
  readonly #metrics: MessageMetrics
  readonly #expiryMs: number
  readonly #partBytes: number
  readonly #now: () => number
  readonly #busy = new Set<string>()

  constructor({ blobs, metrics, expiryMs = 24 * 3_600_000, partBytes = 8 * 2 ** 20, now = Date.now }: UploadOptions) {
    this.#blobs = blobs
    this.#metrics = metrics
    this.#expiryMs = expiryMs
    this.#partBytes = partBytes
    this.#now = now
  }

  /** The id of a new one. */
  async begin(family: Family, scope: string): Promise<string> {
    const id = randomBytes(16).toString('hex')
    const marker: Marker = { scope, begunAtMs: this.#now() }
    await storing(this.#metrics, family, () =>
      this.#blobs.put({ name: markerOf(id) }, Buffer.from(JSON.stringify(marker))),
    )
    return id
  }

  /** How many bytes are there for good. Throws `upload-unknown`. */
  async sizeBytes(id: string, scope: string): Promise<number> {
    await this.#assertKnown(id, scope)
    return endOf(await this.#parts(id))
  }

  /**
   * Adds what `source` has; `start` must be the size so far, if it is said. When the source fails, whole parts stay, to be
   * gone on with; what is answered with a Problem adds nothing, so that the same request can be sent again.
   */
  append(
    family: Family,
    id: string,
    scope: string,
    start: number | undefined,
    source: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    return this.#alone(id, scope, async () => (await this.#append(family, id, start, source)).endBytes)
  }

  /** Adds the rest and stores all of it under its name; wrong bytes end the upload as well, with `digest-mismatch`. */
  finish(
    family: Family,
    id: string,
    scope: string,
    entry: NewEntry,
    start: number | undefined,
    rest: AsyncIterable<Uint8Array>,
  ): Promise<Stored> {
    return this.#alone(id, scope, async () => {
      const added = await this.#append(family, id, start, rest)
      const parts = await this.#parts(id)
      let complete = false
      try {
        const stored = await storing(this.#metrics, family, async () => {
          const put = await this.#blobs.putStream(entry, this.#read(parts))
          complete = put.outcome !== 'full'
          return put
        })
        return stored
      } finally {
        // Where there was no room, or the store failed, the client may finish it later, with the same request.
        await (complete ? this.#forget(id) : this.#drop(added.parts))
      }
    })
  }

  cancel(id: string, scope: string): Promise<void> {
    return this.#alone(id, scope, () => this.#forget(id))
  }

  /** Forgets those that were begun too long ago; returns how many. */
  async sweep(): Promise<number> {
    let swept = 0
    for (let after: string | undefined; ;) {
      const { entries, next } = await this.#blobs.scan(index, after, 100)
      for (const { key } of entries) {
        const marker = await this.#marker(key)
        if (marker === undefined || this.#now() - marker.begunAtMs <= this.#expiryMs || this.#busy.has(key)) continue
        await this.#forget(key)
        swept++
      }
      if (next === undefined) return swept
      after = next
    }
  }

  async #append(
    family: Family,
    id: string,
    start: number | undefined,
    source: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly endBytes: number; readonly parts: readonly EntryName[] }> {
    let at = endOf(await this.#parts(id))
    if (start !== undefined && start !== at) {
      throw problems.create('upload-offset', `The next byte of this upload is ${at}, not ${start}.`, {
        headers: { range: `0-${Math.max(0, at - 1)}` },
      })
    }
    const parts: EntryName[] = []
    try {
      for (const pieces = new Pieces(source); !(await pieces.ended());) {
        const name = { namespace: namespaceOf(id), key: String(at).padStart(16, '0') }
        const stored = await storing(this.#metrics, family, async () => {
          const put = await this.#blobs.putStream({ name, onlyIfNew: true }, pieces.take(this.#partBytes))
          if (put.outcome === 'taken')
            throw problems.create('upload-busy', 'Another request wrote this piece meanwhile.')
          return put
        })
        parts.push(name)
        at += stored.sizeBytes
        // Another process may have ended it meanwhile, and nothing would lead to this part.
        if ((await this.#marker(id)) === undefined) throw unknownUpload()
      }
    } catch (error) {
      if (error instanceof Problem) await this.#drop(parts)
      throw error
    }
    return { endBytes: at, parts }
  }

  /** Those from the first byte on that follow one another. */
  async #parts(id: string): Promise<readonly Part[]> {
    const namespace = namespaceOf(id)
    const found: Part[] = []
    for (let after: string | undefined; ;) {
      const { entries, next } = await this.#blobs.scan(namespace, after, 1_000)
      for (const { key, sizeBytes } of entries) found.push({ name: { namespace, key }, start: Number(key), sizeBytes })
      if (next === undefined) break
      after = next
    }
    let end = 0
    return found
      .toSorted((a, b) => a.start - b.start)
      .filter(({ start, sizeBytes }) => start === end && (end += sizeBytes) > start)
  }

  async *#read(parts: readonly Part[]): AsyncGenerator<Buffer> {
    for (const { name } of parts) {
      await using blob = await this.#blobs.open(name)
      if (blob !== undefined) yield* blob.body()
    }
  }

  /** The marker last: it is what leads to the parts. */
  async #forget(id: string): Promise<void> {
    const parts = await this.#parts(id)
    await this.#drop(parts.map(({ name }) => name))
    await this.#blobs.remove(markerOf(id))
  }

  async #drop(parts: readonly EntryName[]): Promise<void> {
    await Promise.all(parts.map((name) => this.#blobs.remove(name)))
  }

  async #alone<Result>(id: string, scope: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#busy.has(id)) throw problems.create('upload-busy', 'Another request is writing this upload.')
    this.#busy.add(id)
    try {
      await this.#assertKnown(id, scope)
      return await work()
    } finally {
      this.#busy.delete(id)
    }
  }

  async #assertKnown(id: string, scope: string): Promise<void> {
    const marker = /^[0-9a-f]{32}$/.test(id) ? await this.#marker(id) : undefined
    if (marker?.scope === scope && this.#now() - marker.begunAtMs <= this.#expiryMs) return
    throw unknownUpload()
  }

  async #marker(id: string): Promise<Marker | undefined> {
    await using blob = await this.#blobs.open(markerOf(id))
    const marker: unknown = blob?.bytes === undefined ? undefined : JSON.parse(blob.bytes.toString('utf8'))
    return isMarker(marker) ? marker : undefined
  }
}

const unknownUpload = (): Problem =>
  problems.create('upload-unknown', 'It was finished, cancelled, or begun too long ago: begin a new one.')
const markerOf = (id: string): EntryName => ({ namespace: index, key: id })
const namespaceOf = (id: string): string => `${index}.${id}`

function endOf(parts: readonly Part[]): number {
  const last = parts.at(-1)
  return last === undefined ? 0 : last.start + last.sizeBytes
}

function isMarker(value: unknown): value is Marker {
  if (typeof value !== 'object' || value === null || !('scope' in value) || !('begunAtMs' in value)) return false
  return typeof value.scope === 'string' && typeof value.begunAtMs === 'number'
}
