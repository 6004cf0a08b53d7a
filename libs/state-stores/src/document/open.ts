import type { DocumentStore } from './port.ts'

/** Opens the document store that the URL names: `lmdb:<folder>`, `mongodb://host:port/database/collection` or `memory:`. */
export async function openDocumentStore(url: string): Promise<DocumentStore> {
  const colon = url.indexOf(':')
  const [scheme, rest] = [url.slice(0, colon), url.slice(colon + 1)]
  if (scheme === 'memory') return (await import('./memory.ts')).memoryDocumentStore()
  if (scheme === 'lmdb' && rest !== '') return (await import('./lmdb.ts')).lmdbDocumentStore({ path: rest })
  if (scheme === 'mongodb' || scheme === 'mongodb+srv')
    return (await import('./mongodb.ts')).mongodbDocumentStore({ url })
  throw new Error(`no document store for "${url}"; use lmdb:<folder>, mongodb://host:port/database or memory:`)
}
