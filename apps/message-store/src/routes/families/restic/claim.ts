import { randomUUID } from 'node:crypto'
import { serviceProblems } from '@ballast/service'
import type { EntryName } from '@ballast/state-stores/blob'
import type { Blobs } from '../../../blobs.ts'
import { storeFull } from '../../../refusals.ts'

/** Longer than a client takes from its first request to its config; newer ones take a 403 for final. */
const claimMs = 60_000

export interface NewRepository {
  readonly config: EntryName
  /** Of its claims. */
  readonly namespace: string
}

/**
 * A client that makes a repository looks for its config, asks for it to be created, stores its key, and then the config,
 * which only one can. The key of another one would stay, open nothing, and be taken by all who have the same password,
 * for whom the repository is lost. So of those who ask one is let through, and who asks when the config is there is not:
 * then no other one comes as far as its key, and a key that comes after the config was added by one who has opened the
 * repository. A client that has died stands in nobody's way a minute after its last request.
 *
 * What remains: one that stands still for over a minute between asking and storing its config, while another one makes
 * the repository, and one that never asks and is late by any time, may store a key that opens nothing.
 */
export async function claimRepository(blobs: Blobs, { config, namespace }: NewRepository): Promise<void> {
  const isMade = async (): Promise<boolean> => (await blobs.stat([config]))[0] !== undefined
  if (await isMade()) throw serviceProblems.create('forbidden', 'This repository is there; it is not made again.')
  const claimed = await claim(blobs, { namespace, key: 'create' }, randomUUID(), true)
  // The one before may have come to an end only now.
  if (!claimed || (await isMade())) throw beingMade()
}

/**
 * Before there is a config only one key is taken, whoever has asked for what. Of a repository that nobody has asked for
 * (not all clients do) only this one is, for a minute: others may have looked for the config before it was there.
 */
export async function claimKey(blobs: Blobs, { config, namespace }: NewRepository, digest: string): Promise<void> {
  const [made, asked] = await blobs.stat([config, { namespace, key: 'create' }])
  if (made !== undefined && asked !== undefined) return
  if (!(await claim(blobs, { namespace, key: 'key' }, digest, made === undefined))) throw beingMade()
}

const beingMade = () =>
  serviceProblems.create('forbidden', 'Another client makes this repository, or did a moment ago: try in a minute.')

/**
 * Whether the claim is `by`'s, or, when it is not to be made, nobody's. One that is stale is followed by another one,
 * whose name comes from what it follows and must be new: of all who take it over at once one does.
 */
async function claim(blobs: Blobs, first: EntryName, by: string, make: boolean): Promise<boolean> {
  for (let name = first; ;) {
    const there = await read(blobs, name)
    if (there === undefined) {
      if (!make) return true
      const bytes = Buffer.from(JSON.stringify({ by, atMs: Date.now() }))
      const { outcome } = await blobs.put({ name, onlyIfNew: true }, bytes)
      if (outcome === 'full') throw storeFull()
      if (outcome !== 'taken') return true
    } else if (Date.now() - there.atMs < claimMs) return there.by === by
    else name = { ...first, key: `after-${there.digest}` }
  }
}

async function read(blobs: Blobs, name: EntryName): Promise<{ by: string; atMs: number; digest: string } | undefined> {
  await using blob = await blobs.open(name)
  if (blob === undefined) return undefined
  const { by, atMs }: { by?: unknown; atMs?: unknown } = Object(JSON.parse(blob.bytes?.toString('utf8') ?? '{}'))
  return { by: String(by), atMs: typeof atMs === 'number' ? atMs : -Infinity, digest: blob.digest }
}
