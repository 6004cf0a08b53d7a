import { serviceProblems } from '@ballast/service'
import type { EntryName } from '@ballast/state-stores/blob'
import type { Blobs } from '../../../blobs.ts'

/** For so long whoever has stored the first key may take to store the config. */
const claimMs = 60_000

export interface NewRepository {
  readonly config: EntryName
  readonly claim: EntryName
  /** Of the key that is to be stored. */
  readonly digest: string
}

/**
 * A client that makes a repository stores its key first and then the config, which only one can. The key of another one
 * would stay, open nothing, and be taken by all who have the same password: so only the first one may store a key before
 * there is a config. One who has died meanwhile stands in nobody's way after a minute.
 */
export async function claimRepository(blobs: Blobs, { config, claim, digest }: NewRepository): Promise<void> {
  const [made] = await blobs.stat([config])
  if (made !== undefined) return
  const bytes = Buffer.from(JSON.stringify({ digest, atMs: Date.now() }))
  const { outcome } = await blobs.put({ name: claim, onlyIfNew: true }, bytes)
  if (outcome !== 'taken') return
  const there = await read(blobs, claim)
  if (there.digest === digest) return
  if (Date.now() - there.atMs < claimMs) {
    throw serviceProblems.create('forbidden', 'Another client is making this repository at this moment.')
  }
  await blobs.put({ name: claim }, bytes)
}

async function read(blobs: Blobs, claim: EntryName): Promise<{ digest: string; atMs: number }> {
  await using blob = await blobs.open(claim)
  const { digest, atMs }: { digest?: unknown; atMs?: unknown } = Object(
    JSON.parse(blob?.bytes?.toString('utf8') ?? '{}'),
  )
  return { digest: String(digest), atMs: typeof atMs === 'number' ? atMs : -Infinity }
}
