import { basename, dirname, join } from 'node:path'
import type { FileSystem } from './file-system.ts'
import { toRecord, toText, toTime } from './parse.ts'

/** The right to replace the file, as long as the epoch file says so. */
export interface Claim {
  readonly epoch: number
  /** Unique to this claim: two processes may come to the same number. */
  readonly claimant: string
}

/** `counter.json` has its epoch in `counter.epoch`: the lock file belongs to the lock, which empties it. */
export const epochPath = (path: string): string => `${path.replace(/\.json$/, '')}.epoch`

export const isSame = (a: Claim | undefined, b: Claim): boolean => a?.epoch === b.epoch && a.claimant === b.claimant

/** Where the holder of a claim writes the next content. Nobody else's is called so. */
export const claimedTemporary = (path: string, { epoch, claimant }: Claim): string => `${path}.${epoch}-${claimant}.tmp`

/**
 * `undefined` when there is none, or one that cannot be read, which is nobody's. Opened afresh by name each time, which
 * makes NFS ask the server.
 */
export async function readClaim(fs: FileSystem, path: string): Promise<Claim | undefined> {
  const bytes = await fs.read(epochPath(path))
  if (bytes === undefined) return undefined
  try {
    const fields = toRecord(JSON.parse(Buffer.from(bytes).toString('utf8')))
    return { epoch: toTime(fields['epoch']), claimant: toText(fields['claimant']) }
  } catch {
    return undefined
  }
}

/**
 * Takes the file from whoever had it, who may be paused at any of his steps and hold a lock that was lost.
 *
 * 1. Our claim is written over his and synced: he finds it when he looks before his rename, and stops.
 * 2. He may have looked before that. Then his temporary file existed before our claim, so the listing shows it, and it
 *    is unlinked: a rename of his either came before, and what we read next has it, or finds no file. Creating a file
 *    first makes an NFS client ask the server instead of a cache that says there is none.
 *
 * The claim is written once, before the listing, and never again: a claimant who repeated it afterwards (to note what
 * he has fenced, say) could put it over that of a third one whom he has not fenced. And temporary files are known by
 * listing, not by counting epochs: two processes that lost the lock in turn may come to the same number.
 */
export async function claimFile(fs: FileSystem, path: string, claimant: string): Promise<Claim> {
  const claim: Claim = { epoch: ((await readClaim(fs, path))?.epoch ?? 0) + 1, claimant }
  const file = await fs.open(epochPath(path))
  try {
    // Of one length, within a sector, so that writing it is one step.
    await file.write([Buffer.from(`${JSON.stringify(claim).padEnd(recordBytes - 1)}\n`)])
    await file.sync()
  } finally {
    await file.close()
  }
  const folder = dirname(path)
  for (const name of await fs.list(folder)) {
    if (!isTemporary(name, basename(path))) continue
    await (await fs.open(join(folder, name))).close()
    await fs.remove(join(folder, name))
  }
  return claim
}

const recordBytes = 256

const isTemporary = (name: string, base: string): boolean => name.startsWith(`${base}.`) && name.endsWith('.tmp')
