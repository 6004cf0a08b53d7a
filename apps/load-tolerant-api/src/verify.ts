import { type DocumentStore, splitDocuments } from '@ballast/state-stores/document'
import type { QueuedEntry, WriteStream } from '@ballast/state-stores/stream'

export interface VerifyOptions {
  readonly stream: WriteStream
  readonly documents: DocumentStore
  /** Ids that clients were told are written. */
  readonly acknowledged: readonly string[]
  readonly allowQueued: boolean
  readonly maxUnacknowledged: number | undefined
}

export interface Report {
  readonly ok: boolean
  readonly acknowledged: number
  /** Where the acknowledged ids are. */
  readonly stored: number
  readonly dead: number
  readonly queued: number
  /** All documents, acknowledged or not. */
  readonly totalStored: number
  readonly totalDead: number
  readonly totalQueued: number
  /** Queued entries that hold no documents which this release can read: of a newer one, or of another program. */
  readonly unreadableEntries: number
  /** Stored or dead, yet not in the list of acknowledged ids: requests whose answer did not arrive. */
  readonly unacknowledged: number
  /** The first hundred violations, as sentences. */
  readonly violations: readonly string[]
  readonly violationCount: number
}

const pageSize = 1000

/**
 * Proves the equation: every acknowledged id is in exactly one of stored and dead (or queued, while it may be), and
 * none is there twice. Reads only. What is both stored and queued counts as stored, because an entry leaves the
 * queue after its documents are stored; in a quiet system nothing is queued.
 */
export async function verify({
  stream,
  documents,
  acknowledged,
  allowQueued,
  maxUnacknowledged,
}: VerifyOptions): Promise<Report> {
  const found: string[] = []
  let violationCount = 0
  const violation = (sentence: string): void => {
    if (violationCount++ < 100) found.push(sentence)
  }
  // The queue first: what moves on while this runs is then found where it went.
  const { ids: queued, unreadable } = await queuedIds(stream, violation)
  const dead = await deadIds(stream, violation)
  if (!allowQueued && queued.size > 0) violation(`${queued.size} documents are still queued`)
  const [example] = unreadable
  if (!allowQueued && example !== undefined)
    violation(`${unreadable.length} queued entries cannot be read, the first one: ${example}`)

  const counts = { stored: 0, dead: 0, queued: 0 }
  const seen = new Set<string>()
  for (let from = 0; from < acknowledged.length; from += pageSize) {
    const ids = acknowledged.slice(from, from + pageSize)
    const bodies = await documents.get(ids)
    for (const [index, id] of ids.entries()) {
      if (seen.has(id)) violation(`${id} was acknowledged twice`)
      seen.add(id)
      const isStored = bodies[index] !== undefined
      if (isStored && dead.has(id)) violation(`${id} is stored and dead`)
      if (isStored) counts.stored++
      else if (dead.has(id)) counts.dead++
      else if (queued.has(id)) counts.queued++
      else violation(`${id} is lost: neither stored, dead nor queued`)
    }
  }

  const totalStored = await documents.count()
  const unacknowledged = totalStored + dead.size - counts.stored - counts.dead
  if (maxUnacknowledged !== undefined && unacknowledged > maxUnacknowledged) {
    violation(`${unacknowledged} documents were never acknowledged; at most ${maxUnacknowledged} may be there`)
  }
  return {
    ok: violationCount === 0,
    acknowledged: acknowledged.length,
    ...counts,
    totalStored,
    totalDead: dead.size,
    totalQueued: queued.size,
    unreadableEntries: unreadable.length,
    unacknowledged,
    violations: found,
    violationCount,
  }
}

interface Queued {
  readonly ids: ReadonlySet<string>
  /** A sentence on each entry that holds no documents. */
  readonly unreadable: readonly string[]
}

async function queuedIds(stream: WriteStream, violation: (sentence: string) => void): Promise<Queued> {
  const ids = new Set<string>()
  const unreadable: string[] = []
  let after: string | undefined
  for (;;) {
    const page = await stream.queued({ limit: 100, ...(after === undefined ? {} : { after }) })
    for (const queued of page) {
      after = queued.entry
      for (const id of idsIn(queued, unreadable)) {
        if (ids.has(id)) violation(`${id} is queued twice`)
        ids.add(id)
      }
    }
    if (page.length === 0) return { ids, unreadable }
  }
}

/** A consumer leaves such an entry where it is, or puts it among the dead; neither keeps an audit from the rest. */
function idsIn({ entry, body }: QueuedEntry, unreadable: string[]): readonly string[] {
  try {
    return splitDocuments(body).map(({ id }) => id)
  } catch (error) {
    unreadable.push(`${entry} holds no documents: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
}

async function deadIds(stream: WriteStream, violation: (sentence: string) => void): Promise<Set<string>> {
  const ids = new Set<string>()
  let after: string | undefined
  for (;;) {
    const page = await stream.deadLetters({ limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const { id } of page) {
      after = id
      // A second one under an id that is dead already has its entry, or its partition, as a suffix.
      const [own = id, suffix] = id.split('/')
      if (suffix !== undefined) violation(`${own} is dead twice`)
      ids.add(own)
    }
    if (page.length === 0) return ids
  }
}
