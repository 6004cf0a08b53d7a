import { letterName, letterOf, nameOf, ownName, partitionOf } from './partition-names.ts'
import type { Backlog, BuriedDocument, QueuedEntry, WriteStream } from './port.ts'

/** The reads of a queue in partitions. `all` gives every partition there is. */
export function partitionedReads(
  all: () => Promise<readonly WriteStream[]>,
): Pick<WriteStream, 'deadLetters' | 'deadLetter' | 'locate' | 'queued'> {
  return {
    async deadLetters({ after, limit }) {
      const page = { limit, ...(after === undefined ? {} : { after: letterOf(after).id }) }
      const pages = await Promise.all((await all()).map((stream) => stream.deadLetters(page)))
      const letters = pages.flatMap((own, partition) => own.map((letter) => ({ letter, partition })))
      letters.sort((a, b) => byBytes(a.letter.id, b.letter.id) || a.partition - b.partition)
      // Those of one id are never parted: the next page begins behind the id, whoever is moved meanwhile.
      const last = letters[limit - 1]?.letter.id
      const end = last === undefined ? letters.length : letters.findLastIndex(({ letter }) => letter.id === last) + 1
      return letters.slice(0, end).map(({ letter, partition }, index): BuriedDocument => {
        const first = letters[index - 1]?.letter.id !== letter.id
        return first ? letter : { ...letter, id: letterName(letter.id, partition) }
      })
    },
    async deadLetter(name) {
      const { id, partition } = letterOf(name)
      const streams = await all()
      if (partition !== undefined) {
        const letter = await streams[partition]?.deadLetter(id)
        return letter === undefined ? undefined : { ...letter, id: name }
      }
      const letters = await Promise.all(streams.map((stream) => stream.deadLetter(id)))
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
    parkedEntries: sum.parkedEntries + one.parkedEntries,
    deadLetters: sum.deadLetters + one.deadLetters,
    appendedDocuments: sum.appendedDocuments + one.appendedDocuments,
    settledDocuments: sum.settledDocuments + one.settledDocuments,
    settledBytes: sum.settledBytes + one.settledBytes,
  }))
}

/** As the backends order them: by bytes. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
