import type { ScannedEntry, ScanPage } from '../port.ts'
import { escapeKey, unescapeKey } from './keys.ts'
import type { Objects } from './objects.ts'

const atOnce = 16

/** In the order of the escaped keys. A listing has no metadata, so each entry is asked for its digest. */
export async function scanObjects(
  objects: Objects,
  namespace: string,
  folder: string,
  after: string | undefined,
  limit: number,
): Promise<ScanPage> {
  let behind = after === undefined ? undefined : escapeKey(after)
  let names: string[] = []
  let more = true
  // What is not ours is passed over, were it a whole page.
  while (more && names.length === 0) {
    const page = await objects.bucket.list(folder, behind, limit)
    names = page.keys.flatMap((escaped) => unescapeKey(escaped) ?? [])
    behind = page.keys.at(-1)
    more = page.more && behind !== undefined
  }
  const found: (ScannedEntry | undefined)[] = []
  for (let start = 0; start < names.length; start += atOnce) {
    const some = names.slice(start, start + atOnce).map(async (key): Promise<ScannedEntry | undefined> => {
      const object = await objects.describe({ namespace, key })
      return object && { key, digest: object.hashes.digest, sizeBytes: object.hashes.sizeBytes }
    })
    found.push(...(await Promise.all(some)))
  }
  const entries = found.flatMap((entry) => entry ?? [])
  const last = names.at(-1)
  return more && last !== undefined ? { entries, next: last } : { entries }
}
