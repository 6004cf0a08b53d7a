import type { LmdbTable } from '../lmdb-environment.ts'
import { decodeDead } from './lmdb-dead.ts'
import { decodeFrame, isLater, laterFormat, sequenceKey, sequenceOf, writerKey } from './lmdb-records.ts'
import type { WriteStream } from './port.ts'

interface Tables {
  readonly entries: LmdbTable
  readonly firstIds: LmdbTable
  readonly dead: LmdbTable
  /** Runs a read on the newest snapshot. */
  readonly latest: <T>(read: () => T) => T
}

/** The reads of the queue that change nothing. */
export function lmdbReads({
  entries,
  firstIds,
  dead,
  latest,
}: Tables): Pick<WriteStream, 'deadLetters' | 'deadLetter' | 'locate' | 'queued'> {
  return {
    deadLetters: async ({ after, limit }) =>
      latest(() => {
        // The key right behind `after` is `after` and a zero byte.
        const range = after === undefined ? { limit } : { start: Buffer.from(`${after}\0`), limit }
        return Array.from(dead.range(range), ({ value }) => decodeDead(value))
      }),
    deadLetter: async (id) => {
      const stored = latest(() => dead.get(Buffer.from(id)))
      return stored === undefined ? undefined : decodeDead(stored)
    },
    locate: async (id) =>
      latest(() => {
        const wanted = writerKey(id)
        for (const { key, value } of firstIds.range({ start: wanted, reverse: true, limit: 1 })) {
          if (key.compare(wanted, 0, 5, 0, 5) !== 0) return undefined
          const frame = entries.get(value)
          return frame === undefined ? undefined : decodeFrame(frame).body
        }
        return undefined
      }),
    queued: async ({ after = '0', limit }) =>
      latest(() =>
        Array.from(entries.range({ start: sequenceKey(Number(after) + 1), limit }), ({ key, value }) => ({
          entry: String(sequenceOf(key)),
          body: isLater(value) ? Buffer.from(laterFormat(value)) : decodeFrame(value).body,
        })),
      ),
  }
}
