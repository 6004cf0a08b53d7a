import { namedByScheme, splitScheme } from '../split-scheme.ts'
import { orChooseAnother } from '../start-error.ts'
import type { DocumentStore } from './port.ts'

export interface OpenDocumentsOptions {
  /** What the user turns to choose another store, for the sentence that says why this one cannot be opened. */
  readonly setting?: string
}

/** Opens the document store that the URL names: `lmdb:<folder>`, `mongodb://host:port/database/collection` or `memory:`. */
export function openDocumentStore(url: string, { setting }: OpenDocumentsOptions = {}): Promise<DocumentStore> {
  return orChooseAnother(setting, () => open(url))
}

async function open(given: string): Promise<DocumentStore> {
  const split = splitScheme(given)
  const { url, scheme, rest } = split
  if (scheme === 'memory') return (await import('./memory.ts')).memoryDocumentStore()
  if (scheme === 'lmdb' && rest !== '') return (await import('./lmdb.ts')).lmdbDocumentStore({ path: rest })
  if (scheme === 'mongodb' || scheme === 'mongodb+srv')
    return (await import('./mongodb.ts')).mongodbDocumentStore({ url })
  throw new Error(
    `no document store for ${namedByScheme(split)}; use lmdb:<folder>, mongodb://host:port/database or memory:`,
  )
}
