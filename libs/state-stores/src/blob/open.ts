import { fileURLToPath } from 'node:url'
import type { BlobOptions, BlobStore } from './port.ts'

/**
 * Opens the store that a URL names: `lmdb:<folder>`, relative to the working folder, or `memory:`.
 * An adapter is loaded only when it is chosen.
 */
export async function openBlobStore(url: string, options: BlobOptions = {}): Promise<BlobStore> {
  const scheme = /^[a-z][a-z0-9+.-]*:/.exec(url)?.[0]
  const rest = url.slice(scheme?.length ?? 0)
  if (url === 'memory:') return new (await import('./memory.ts')).MemoryBlobStore(options)
  if (scheme === 'lmdb:' && rest !== '') {
    const path = rest.startsWith('//') ? fileURLToPath(`file:${rest}`) : rest
    return (await import('./lmdb.ts')).lmdbBlobStore({ ...options, path })
  }
  throw new Error(`"${url}" names no blob store: say lmdb:<folder>, or memory: for one that forgets at the end`)
}
