import { nameOf, ownName, partitionOf } from './partition-names.ts'
import type { Backlog, BuriedDocument, QueuedEntry, WriteStream } from './port.ts'

/** The reads of a queue in partitions. `all` gives every partition there is. */
export function partitionedReads(
  all: () => Promise<readonly WriteStream[]>,
): Pick<WriteStream, 'deadLetters' | 'deadLetter' | 'locate' | 'queued'> {
  return {
    async deadLetters(page) {
      const pages = await Promise.all((await all()).map((stream) => stream.deadLetters(page)))
      return pages.flat().toSorted(byId).slice(0, page.limit)
    },
    async deadLetter(id) {
      const letters = await Promise.all((await all()).map((stream) => stream.deadLetter(id)))
      return letters.find((letter) => letter !== undefined)
    },
    async locate(id) {
      const bodies = await Promise.all((await all()).map((stream) => stream.locate(id)))
      // Each partition has a last entry that may hold it; where there are several, the one with these bytes does.
      const found = bodies.filter((body) => body !== undefined)
      const bytes = Buffer.from(id, 'hex')
      return found.length < 2 ? found[0] : found.find((body) => Buffer.from(body).includes(bytes))
    },
    async queued({ after = '', limit }) {
      const streams = await all()
      for (let partition = partitionOf(after); partition < streams.length; partition++) {
        const from = partition === partitionOf(after) ? ownName(after) : ''
        const page = await streams[partition]?.queued({ limit, ...(from === '' ? {} : { after: from }) })
        if (page !== undefined && page.length > 0)
          return page.map(({ entry, body }): QueuedEntry => ({ entry: nameOf(entry, partition), body }))
      }
      return []
    },
  }
}

export function sumOf(backlogs: readonly Backlog[]): Backlog {
  return backlogs.reduce((sum, one) => ({
    entries: sum.entries + one.entries,
    documents: sum.documents + one.documents,
    bytes: sum.bytes + one.bytes,
    oldestAgeMs: Math.max(sum.oldestAgeMs, one.oldestAgeMs),
    deadLetters: sum.deadLetters + one.deadLetters,
    appendedDocuments: sum.appendedDocuments + one.appendedDocuments,
    settledDocuments: sum.settledDocuments + one.settledDocuments,
    settledBytes: sum.settledBytes + one.settledBytes,
  }))
}

/** As the backends order them: by bytes. */
const byId = (a: BuriedDocument, b: BuriedDocument): number => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
