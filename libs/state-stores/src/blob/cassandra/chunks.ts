import { chunkBytes } from '../hash.ts'
import type { CassandraSession } from './session.ts'

/** A partition holds this many chunks: 8 MiB, far from what Cassandra calls large. */
const chunksPerPart = 32

/** Chunks on their way at once, per upload. */
const window = 4

const place = (index: number): [part: number, n: number] => [Math.floor(index / chunksPerPart), index % chunksPerPart]

/** Undefined when it is not there. */
export async function readChunk(
  session: CassandraSession,
  generation: Buffer,
  index: number,
): Promise<Buffer | undefined> {
  const statement = 'SELECT body FROM blob_chunks WHERE generation = ? AND part = ? AND n = ?'
  const [row] = await session.run(statement, [generation, ...place(index)])
  const body = row?.get('body')
  return Buffer.isBuffer(body) ? body : undefined
}

/** Removes all chunks of a generation. They were written in order, so the first empty partition is the last one. */
export async function removeChunks(session: CassandraSession, generation: Buffer): Promise<void> {
  for (let part = 0; ; part++) {
    const found = await session.run('SELECT n FROM blob_chunks WHERE generation = ? AND part = ? LIMIT 1', [
      generation,
      part,
    ])
    if (found.length === 0) return
    await session.run('DELETE FROM blob_chunks WHERE generation = ? AND part = ?', [generation, part])
  }
}

/** Cuts a stream into chunks and writes them, a few at a time. Nothing of it is visible without an entry. */
export class ChunkWriter {
  readonly #session: CassandraSession
  readonly #generation: Buffer
  readonly #writing = new Set<Promise<void>>()
  #pieces: Uint8Array[] = []
  #size = 0
  #next = 0
  #failure: { readonly error: unknown } | undefined

  constructor(session: CassandraSession, generation: Buffer) {
    this.#session = session
    this.#generation = generation
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length;) {
      const end = Math.min(bytes.length, start + chunkBytes - this.#size)
      this.#pieces.push(bytes.subarray(start, end))
      this.#size += end - start
      start = end
      if (this.#size === chunkBytes) await this.#send()
    }
  }

  /** Resolves when all of them are stored. */
  async finish(): Promise<void> {
    if (this.#size > 0) await this.#send()
    await this.settled()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async settled(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async #send(): Promise<void> {
    if (this.#writing.size >= window) await Promise.race(this.#writing)
    if (this.#failure !== undefined) throw this.#failure.error
    const statement = 'INSERT INTO blob_chunks (generation, part, n, body) VALUES (?, ?, ?, ?)'
    const values = [this.#generation, ...place(this.#next++), Buffer.concat(this.#pieces)]
    this.#pieces = []
    this.#size = 0
    const writing = this.#session.run(statement, values).then(
      () => void this.#writing.delete(writing),
      (error: unknown) => {
        this.#writing.delete(writing)
        this.#failure ??= { error }
      },
    )
    this.#writing.add(writing)
  }
}
