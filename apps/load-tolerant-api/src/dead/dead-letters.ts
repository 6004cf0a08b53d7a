import type { BuriedDocument, ReplayOutcome, WriteStream } from '@ballast/state-stores/stream'

/** Which letters are meant; all of them without a member. */
export interface LetterFilter {
  readonly id?: string | undefined
  /** What the reason begins with: `conflict`, `invalid`, `unreadable entry`. */
  readonly reason?: string | undefined
}

export interface ReplayReport {
  readonly replayed: number
  /** Named, but not there: replayed by somebody else meanwhile, perhaps. */
  readonly unknown: number
  /** The bound of the queue at which it stopped; what is left stays dead. */
  readonly full: string | null
}

type DeadReads = Pick<WriteStream, 'deadLetter' | 'deadLetters'>

const pageSize = 100

/** In pages by ascending id; each letter that is there throughout comes once. */
export async function* pagesOf(
  stream: DeadReads,
  { id, reason = '' }: LetterFilter,
  after?: string,
): AsyncGenerator<readonly BuriedDocument[]> {
  if (id !== undefined) {
    const letter = await stream.deadLetter(id)
    if (letter?.reason.startsWith(reason) === true) yield [letter]
    return
  }
  for (let last = after; ;) {
    const page = await stream.deadLetters({ limit: pageSize, ...(last === undefined ? {} : { after: last }) })
    if (page.length === 0) return
    last = page.at(-1)?.id
    yield page.filter((letter) => letter.reason.startsWith(reason))
  }
}

/**
 * Puts letters back into the queue, each in one step; the consumer then writes them within its budget of commands, and
 * buries again what the store still refuses. Stops at a bound of the queue.
 */
export async function replay(
  stream: DeadReads & Pick<WriteStream, 'replay'>,
  filter: LetterFilter,
): Promise<ReplayReport> {
  const outcomes: ReplayOutcome[] = []
  let found = 0
  for await (const page of pagesOf(stream, filter)) {
    found += page.length
    if (page.length > 0) outcomes.push(...(await stream.replay(page.map(({ id }) => id))))
    if (outcomes.some(({ outcome }) => outcome === 'full')) break
  }
  const full = outcomes.find((outcome) => outcome.outcome === 'full')
  const missing = filter.id !== undefined && found === 0 ? 1 : 0
  return {
    replayed: outcomes.filter(({ outcome }) => outcome === 'replayed').length,
    unknown: outcomes.filter(({ outcome }) => outcome === 'unknown').length + missing,
    full: full?.bound ?? null,
  }
}
