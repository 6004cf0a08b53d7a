import { fileURLToPath } from 'node:url'
import { namedByScheme, splitScheme } from '../split-scheme.ts'
import type { BlobStore } from './port.ts'
import type { ServerBlobOptions } from './server-options.ts'

export interface OpenOptions extends ServerBlobOptions {
  /** What the user turns to choose another store, for the sentences that tell him to. Default: "--store". */
  readonly setting?: string
}

/**
 * Opens the store that a URL names: `lmdb:<folder>`, relative to the working folder, `memory:`, or a server by
 * `cassandra://...`, `s3://...` or `s3+http(s)://...`. An adapter is loaded only when it is chosen.
 */
export async function openBlobStore(
  given: string,
  { setting = '--store', ...options }: OpenOptions = {},
): Promise<BlobStore> {
  const split = splitScheme(given)
  const { url, scheme, rest } = split
  if (url === 'memory:') return new (await import('./memory.ts')).MemoryBlobStore(options)
  if (scheme === 'lmdb' && rest !== '') {
    return (await import('./lmdb.ts')).lmdbBlobStore({ ...options, path: folderOf(rest) })
  }
  const server = await serverStore(scheme)
  if (server !== undefined) {
    try {
      return await server({ ...options, url })
    } catch (error) {
      throw new Error(`${sentenceOf(error)}; the store is chosen with ${setting}`, { cause: error })
    }
  }
  throw new Error(
    `${namedByScheme(split)} names no blob store: say ${setting} lmdb:<folder>, cassandra://..., s3://... or s3+http://..., or memory: for one that forgets at the end`,
  )
}

/** What follows `lmdb:`. */
export function folderOf(rest: string): string {
  return rest.startsWith('//') ? fileURLToPath(`file:${rest}`) : rest
}

/** Errors of OpenSSL have several lines, and are for those who know OpenSSL. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (!text.includes('SSL routines')) return text
  const label = /^\S+:\/\/\S+(?=: )/.exec(text)?.[0] ?? 'the server'
  const reason = /SSL routines:[^:]*:([^:]*)/.exec(text)?.[1]
  return `${label}: no TLS connection can be made (${reason ?? 'handshake failed'}): does that port speak TLS?`
}

type OpenServer = (options: ServerBlobOptions & { readonly url: string }) => Promise<BlobStore>

async function serverStore(scheme: string): Promise<OpenServer | undefined> {
  if (scheme === 'cassandra') return (await import('./cassandra.ts')).cassandraBlobStore
  if (scheme === 's3' || scheme === 's3+http' || scheme === 's3+https') return (await import('./s3.ts')).s3BlobStore
  return undefined
}
