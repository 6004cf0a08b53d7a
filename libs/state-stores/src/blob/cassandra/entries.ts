import { setTimeout as delay } from 'node:timers/promises'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import type { EntryName } from '../port.ts'
import { decodeBody, decodeHead, encodeBody, encodeHead, type Head } from './head.ts'
import { notApplied } from './outcome.ts'
import type { CassandraSession, Row } from './session.ts'

export interface Entry extends Head {
  readonly damaged: boolean
  /** When the head was written, in microseconds, by the clock of its writer. */
  readonly writtenAt: bigint
}

export interface WholeEntry extends Entry {
  /** Bytes, or hashes of chunks; undefined when the body is not that of the head. */
  readonly body: Buffer | undefined
}

/**
 * How far a write goes ahead of the clock when it is not seen: an unseen tombstone has a later timestamp, for the clock
 * of whoever removed the name is ahead of ours.
 */
const aheadMs = [0, 0, 1000, 60_000, 3_600_000]

const columns = 'head, damaged, writetime(head) AS written'
const where = 'WHERE namespace = ? AND key = ?'

/** Rows of `blob_entries`, all at LOCAL_QUORUM. A later timestamp wins, so every change is later than what it has seen. */
export class Entries {
  readonly #session: CassandraSession
  readonly #prefix: string
  readonly #nowMs: () => number

  constructor(session: CassandraSession, prefix: string, nowMs: () => number) {
    this.#session = session
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.#nowMs = nowMs
  }

  read(name: EntryName): Promise<Entry | undefined> {
    return this.readRow(this.key(name))
  }

  async readRow(key: readonly [string, string]): Promise<Entry | undefined> {
    const [row] = await this.#session.run(`SELECT ${columns} FROM blob_entries ${where}`, key)
    return row === undefined ? undefined : toEntry(row)
  }

  async readWhole(name: EntryName): Promise<WholeEntry | undefined> {
    const [row] = await this.#session.run(`SELECT ${columns}, body FROM blob_entries ${where}`, this.key(name))
    const entry = row === undefined ? undefined : toEntry(row)
    return entry && { ...entry, body: decodeBody(row?.get('body'), entry.generation) }
  }

  /**
   * Writes and reads back. `seen` is what was there when the decision was taken; whoever else wrote since then with a
   * later timestamp wins, as if he had come after us.
   */
  async write(name: EntryName, head: Head, body: Uint8Array, seen: Entry | undefined): Promise<void> {
    const values = [...this.key(name), encodeHead(head), encodeBody(head.generation, body)]
    const insert = 'INSERT INTO blob_entries (namespace, key, head, body) VALUES (?, ?, ?, ?) USING TIMESTAMP ?'
    let after = seen?.writtenAt ?? 0n
    for (const ahead of aheadMs) {
      const writtenAt = max(BigInt(Math.round(this.#nowMs() + ahead)) * 1000n, after + 1n)
      const lost = await this.#session.run(insert, [...values, writtenAt]).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (lost instanceof NotAppliedError) throw lost
      const now = await this.#readBack(name, lost)
      if (now !== undefined && (now.generation.equals(head.generation) || now.writtenAt >= writtenAt)) return
      // It may still arrive, so another attempt would not be one write.
      if (lost !== undefined) throw lost
      // Removed at this moment with this timestamp + 1, or shadowed by a tombstone from before.
      after = writtenAt + 1n
    }
    throw new NotAppliedError(
      `${this.#session.label}: something was removed with a timestamp more than an hour ahead of this clock; set the clocks right`,
    )
  }

  /**
   * Writes unless there is an entry: the only lightweight transaction, since nothing else decides and writes in one step.
   * Its timestamp is that of the cluster's clock, so a tombstone from a clock ahead is waited for, if not for long.
   * Returns what was there instead. Cost: four round trips between the nodes, and one to read it back.
   */
  async create(name: EntryName, head: Head, body: Uint8Array): Promise<Entry | undefined> {
    const values = [encodeHead(head), encodeBody(head.generation, body), ...this.key(name)]
    const update = `UPDATE blob_entries SET head = ?, body = ? ${where} IF head = null`
    for (const pauseMs of [0, 100, 1000]) {
      await delay(pauseMs)
      const lost = await this.#session.run(update, values).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (lost instanceof NotAppliedError) throw lost
      // Whoever else was first stands there for good; an answer that was lost is found out by this too.
      const now = await this.#readBack(name, lost)
      if (now !== undefined) return now.generation.equals(head.generation) ? undefined : now
      if (lost !== undefined) throw lost
    }
    throw new NotAppliedError(
      `${this.#session.label}: something was removed with a timestamp ahead of the cluster's clock; set the clocks right`,
    )
  }

  /** Removes what was seen, and nothing that was written since: its timestamp is later. */
  async remove(name: EntryName, { writtenAt }: Entry): Promise<void> {
    await this.#session.run(`DELETE FROM blob_entries USING TIMESTAMP ? ${where}`, [writtenAt + 1n, ...this.key(name)])
  }

  /** With the timestamp of the head, so that a removal covers it; it says nothing about later generations. */
  async markDamaged(name: EntryName, { generation, writtenAt }: Entry): Promise<void> {
    const values = [writtenAt, generation, ...this.key(name)]
    await this.#session.run(`UPDATE blob_entries USING TIMESTAMP ? SET damaged = ? ${where}`, values)
  }

  /** The key of a row. */
  key({ namespace, key }: EntryName): readonly [string, string] {
    return [`${this.#prefix}${namespace}`, key]
  }

  async #readBack(name: EntryName, lost: unknown): Promise<Entry | undefined> {
    try {
      return await this.read(name)
    } catch (error) {
      if (lost !== undefined) throw lost
      throw new OutcomeUnknownError(`written, but not read back: ${notApplied(error, this.#session.label).message}`, {
        cause: error,
      })
    }
  }
}

/** Undefined for a row without a head: a mark that outlived its entry. */
export function toEntry(row: Row): Entry | undefined {
  const [head, damaged, written] = [row.get('head'), row.get('damaged'), row.get('written')]
  if (!Buffer.isBuffer(head)) return undefined
  const decoded = decodeHead(head)
  return {
    ...decoded,
    damaged: Buffer.isBuffer(damaged) && damaged.equals(decoded.generation),
    writtenAt: typeof written === 'bigint' ? written : 0n,
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
