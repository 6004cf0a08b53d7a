import { serviceProblems } from '@ballast/service'
import type { EntryName } from '@ballast/state-stores/blob'
import type { Blobs } from '../../../blobs.ts'

/** Longer than a client takes from its look at the config to its key; newer ones take a 403 for final. */
const claimMs = 60_000

export interface NewRepository {
  readonly config: EntryName
  readonly claim: EntryName
  /** Of the key that is to be stored. */
  readonly digest: string
}

/**
 * A client that makes a repository stores its key first and then the config, which only one can. The key of another one
 * would stay, open nothing, and be taken by all who have the same password, for whom the repository is lost. So for a
 * minute only the key of the first one is taken, also when the config is there: who looked for it before may still come.
 * One who has died meanwhile stands in nobody's way after that.
 */
export async function claimRepository(blobs: Blobs, { config, claim, digest }: NewRepository): Promise<void> {
  const [made] = await blobs.stat([config])
  const bytes = Buffer.from(JSON.stringify({ digest, atMs: Date.now() }))
  if (made === undefined && (await blobs.put({ name: claim, onlyIfNew: true }, bytes)).outcome !== 'taken') return
  const there = await read(blobs, claim)
  if (there.digest === digest) return
  if (Date.now() - there.atMs < claimMs) {
    const detail = 'This repository is being made by another client, or was a moment ago: add a key in a minute.'
    throw serviceProblems.create('forbidden', detail)
  }
  if (made === undefined) await blobs.put({ name: claim }, bytes)
}

async function read(blobs: Blobs, claim: EntryName): Promise<{ digest: string; atMs: number }> {
  await using blob = await blobs.open(claim)
  const { digest, atMs }: { digest?: unknown; atMs?: unknown } = Object(
    JSON.parse(blob?.bytes?.toString('utf8') ?? '{}'),
  )
  return { digest: String(digest), atMs: typeof atMs === 'number' ? atMs : -Infinity }
}
