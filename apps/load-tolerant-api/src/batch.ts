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
}

/** What to tell the queue, once there is an outcome for every document of the batch. */
export function judge(batch: Batch, outcomes: readonly InsertOutcome[]): Verdict {
  if (outcomes.length !== batch.documents.length) {
    throw new TypeError(`${outcomes.length} outcomes for ${batch.documents.length} documents`)
  }
  const dead: DeadDocument[][] = batch.claims.map(() => [])
  for (const [index, outcome] of outcomes.entries()) {
    const document = batch.documents[index]
    const reason = reasonOf(outcome)
    if (reason === undefined || document === undefined) continue
    dead[batch.claimOf[index] ?? -1]?.push({ id: document.id, reason, body: document.bson })
  }
  const letters = batch.claims.map((claimed, index) => ({ claimed, dead: dead[index] ?? [] }))
  return {
    acknowledge: letters.filter((letter) => letter.dead.length === 0).map(({ claimed }) => claimed),
    bury: [...batch.unreadable, ...letters.filter((letter) => letter.dead.length > 0)],
  }
}

function reasonOf(outcome: InsertOutcome): string | undefined {
  if (outcome.outcome === 'invalid') return `invalid: ${outcome.reason}`
  return outcome.outcome === 'conflict' ? 'conflict: this _id is stored with other content' : undefined
}
