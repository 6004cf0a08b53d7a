import { decodeDocument, type DocumentStore, splitDocuments } from '@ballast/state-stores/document'
import type { WriteStream } from '@ballast/state-stores/stream'

export interface FoundWrite {
  readonly state: 'queued' | 'stored' | 'dead'
  readonly reason?: string
  readonly document?: Record<string, unknown>
}

export type FindWrite = (id: string) => Promise<FoundWrite | undefined>

/**
 * Looks for a write where it can be. A write moves from the queue to one of the other places and never back, so who
 * misses it everywhere looks at the places it may have moved to once more.
 */
export function findWriteIn(documents: DocumentStore, stream: WriteStream): FindWrite {
  const settled = async (id: string): Promise<FoundWrite | undefined> => {
    const [stored] = await documents.get([id])
    if (stored !== undefined) return { state: 'stored', document: decodeDocument(stored) }
    const letter = await stream.deadLetter(id)
    if (letter === undefined) return undefined
    const { reason, body } = letter
    const document = readable(body)
    return { state: 'dead', reason, ...(document === undefined ? {} : { document }) }
  }
  const queued = async (id: string): Promise<FoundWrite | undefined> => {
    const body = await stream.locate(id)
    const found = body === undefined ? undefined : splitDocuments(body).find((document) => document.id === id)
    return found === undefined ? undefined : { state: 'queued', document: decodeDocument(found.bson) }
  }
  return async (id) => {
    try {
      const found = await settled(id)
      if (found !== undefined) return found
    } catch (error) {
      // While the document store is away a write waits in the queue, which still answers; elsewhere nobody knows.
      const found = await queued(id).catch(() => undefined)
      if (found === undefined) throw error
      return found
    }
    return (await queued(id)) ?? settled(id)
  }
}

/** What is dead may be no document at all. */
function readable(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    return decodeDocument(body)
  } catch {
    return undefined
  }
}
