import type { EntryName } from '../port.ts'
import { removeChunks } from './chunks.ts'
import type { Entries } from './entries.ts'
import type { CassandraSession, Row } from './session.ts'

const buckets = 16

/**
 * How long the chunks of a blob without a name stay: whoever is reading it may finish. Space of what is removed comes
 * back later anyway, when Cassandra drops the tombstones (gc_grace_seconds, by default ten days).
 */
export const graceMs = 24 * 3_600_000

/** An upload may take at most this long, far from the time at which its chunks could be taken for leftovers. */
export const longestUploadMs = graceMs / 2

/**
 * A list of generations that perhaps no entry names: written before an upload begins and before a name goes, so a crash
 * at any moment leaves chunks that are found here. Any number of processes may sweep at once.
 */
export class Leftovers {
  readonly #session: CassandraSession
  readonly #entries: Entries
  readonly #nowMs: () => number

  constructor(session: CassandraSession, entries: Entries, nowMs: () => number) {
    this.#session = session
    this.#entries = entries
    this.#nowMs = nowMs
  }

  async add(name: EntryName, generation: Buffer): Promise<void> {
    const statement = 'INSERT INTO blob_leftovers (bucket, since, generation, namespace, key) VALUES (?, ?, ?, ?, ?)'
    const since = BigInt(Math.round(this.#nowMs()))
    await this.#session.run(statement, [bucketOf(generation), since, generation, ...this.#entries.key(name)])
  }

  /** Removes chunks that are older than the grace and have no entry. Returns how many generations that were. */
  async sweep(): Promise<number> {
    const before = BigInt(Math.round(this.#nowMs() - graceMs))
    let removed = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const rows = await this.#session.run('SELECT * FROM blob_leftovers WHERE bucket = ? AND since < ? LIMIT 1000', [
        bucket,
        before,
      ])
      for (const row of rows) removed += await this.#look(row, bucket)
    }
    return removed
  }

  async #look(row: Row, bucket: number): Promise<0 | 1> {
    const [generation, since] = [row.get('generation'), row.get('since')]
    if (!Buffer.isBuffer(generation) || typeof since !== 'bigint') throw new TypeError('a leftover has no generation')
    const named = await this.#entries.readRow([String(row.get('namespace')), String(row.get('key'))])
    const dead = named?.generation.equals(generation) !== true
    if (dead) await removeChunks(this.#session, generation)
    const statement = 'DELETE FROM blob_leftovers WHERE bucket = ? AND since = ? AND generation = ?'
    await this.#session.run(statement, [bucket, since, generation])
    return dead ? 1 : 0
  }
}

const bucketOf = (generation: Buffer): number => generation.readUInt8(0) % buckets
