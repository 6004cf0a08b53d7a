import type { DeadDocument, Entry } from './port.ts'

/** The id under which a replayed document is found in the queue; a letter that is a whole entry, or a second one of its id, has none. */
export const firstIdOf = (letterId: string): string | undefined =>
  /^[0-9a-f]{24}$/.test(letterId) ? letterId : undefined

/** The entry that a dead letter becomes when it is tried again. */
export function replayed({ id, body }: DeadDocument): Entry {
  const firstId = firstIdOf(id)
  return { documents: 1, body, ...(firstId === undefined ? {} : { firstId }) }
}
