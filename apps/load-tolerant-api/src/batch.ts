import { type Document, type InsertOutcome, splitDocuments } from '@ballast/state-stores/document'
import type { Burial, Claimed, DeadDocument } from '@ballast/state-stores/stream'

/** The documents of some claims, and what their store has said so far. */
export interface Batch {
  readonly claims: readonly Claimed[]
  /** In order of the claims. */
  readonly documents: readonly Document[]
  /** Claim index of each document. */
  readonly claimOf: readonly number[]
  /** Entries that hold no documents one could read: dead as a whole. */
  readonly unreadable: readonly Burial[]
}

/**
 * Merges claimed entries. One whose consumers keep dying is put into a batch of its own, so that it takes no
 * neighbour along; it is never given up for that, because only a store can say that a document is impossible.
 */
export function mergeClaims(claims: readonly Claimed[], maxTakeovers: number): Batch[] {
  const suspects = claims.filter(({ takeovers }) => takeovers > maxTakeovers)
  const others = claims.filter(({ takeovers }) => takeovers <= maxTakeovers)
  return [...(others.length > 0 ? [toBatch(others)] : []), ...suspects.map((claim) => toBatch([claim]))]
}

function toBatch(all: readonly Claimed[]): Batch {
  const claims: Claimed[] = []
  const documents: Document[] = []
  const claimOf: number[] = []
  const unreadable: Burial[] = []
  for (const claimed of all) {
    const parts = read(claimed)
    if ('dead' in parts) {
      unreadable.push(parts)
      continue
    }
    for (const document of parts.documents) {
      documents.push(document)
      claimOf.push(claims.length)
    }
    claims.push(claimed)
  }
  return { claims, documents, claimOf, unreadable }
}

function read(claimed: Claimed): { readonly documents: readonly Document[] } | Burial {
  if (claimed.damaged !== undefined) return asDead(claimed, claimed.damaged)
  try {
    return { documents: splitDocuments(claimed.body) }
  } catch (error) {
    return asDead(claimed, `unreadable entry: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const asDead = (claimed: Claimed, reason: string): Burial => ({
  claimed,
  dead: [{ id: `entry:${claimed.entry}`, reason, body: claimed.body }],
})

export interface Verdict {
  /** Every document is stored. */
  readonly acknowledge: readonly Claimed[]
  /** Every document is stored or dead. */
  readonly bury: readonly Burial[]
  /** Some document was refused, and may not be the next time. */
  readonly keep: readonly Kept[]
}

export interface Kept {
  readonly claimed: Claimed
  readonly reason: string
  /** How often in all one of its documents was refused, not counting when the store was to blame. */
  readonly refusals: number
}

/** With the pauses between them 40 s when nothing else can be stored either; a moment when the rest is. */
export const maxRefusals = 10

/** What to tell the queue, once there is an outcome for every document of the batch. `refusals`: the earlier ones of an entry. */
export function judge(
  batch: Batch,
  outcomes: readonly InsertOutcome[],
  refusals: ReadonlyMap<string, number> = new Map(),
): Verdict {
  if (outcomes.length !== batch.documents.length) {
    throw new TypeError(`${outcomes.length} outcomes for ${batch.documents.length} documents`)
  }
  const dead: DeadDocument[][] = batch.claims.map(() => [])
  const kept = new Map<Claimed, Kept>()
  for (const [index, outcome] of outcomes.entries()) {
    const document = batch.documents[index]
    const claimed = batch.claims[batch.claimOf[index] ?? -1]
    if (document === undefined || claimed === undefined) continue
    const refused = outcome.outcome === 'refused' ? nextRefusal(claimed, outcome, refusals) : undefined
    if (refused !== undefined && refused.refusals < maxRefusals) kept.set(claimed, refused)
    const reason = refused === undefined ? reasonOf(outcome) : `refused ${refused.refusals} times: ${refused.reason}`
    if (reason === undefined) continue
    dead[batch.claimOf[index] ?? -1]?.push({ id: document.id, reason, body: document.bson })
  }
  const letters = batch.claims
    .map((claimed, index) => ({ claimed, dead: dead[index] ?? [] }))
    .filter(({ claimed }) => !kept.has(claimed))
  return {
    acknowledge: letters.filter((letter) => letter.dead.length === 0).map(({ claimed }) => claimed),
    bury: [...batch.unreadable, ...letters.filter((letter) => letter.dead.length > 0)],
    keep: [...kept.values()],
  }
}

function nextRefusal(
  claimed: Claimed,
  { reason, temporary }: Extract<InsertOutcome, { outcome: 'refused' }>,
  earlier: ReadonlyMap<string, number>,
): Kept {
  const before = earlier.get(claimed.entry) ?? 0
  return { claimed, reason, refusals: temporary ? Math.min(before, maxRefusals - 1) : before + 1 }
}

function reasonOf(outcome: InsertOutcome): string | undefined {
  if (outcome.outcome === 'invalid') return `invalid: ${outcome.reason}`
  return outcome.outcome === 'conflict' ? 'conflict: this _id is stored with other content' : undefined
}
