import { namedByScheme, splitScheme } from '../split-scheme.ts'
import { orChooseAnother } from '../start-error.ts'
import type { StreamOptions, WriteStream } from './port.ts'

export interface OpenStreamOptions extends StreamOptions {
  /** What the user turns to choose another store, for the sentence that says why this one cannot be opened. */
  readonly setting?: string
}

/** Opens the queue that the URL names: `lmdb:<folder>`, `redis://host:port/db` or `memory:`. */
export function openStream(url: string, { setting, ...options }: OpenStreamOptions = {}): Promise<WriteStream> {
  return orChooseAnother(setting, () => open(url, options))
}

async function open(given: string, options: StreamOptions): Promise<WriteStream> {
  const split = splitScheme(given)
  const { url, scheme, rest } = split
  if (scheme === 'memory') return (await import('./memory.ts')).memoryStream(options)
  if (scheme === 'lmdb' && rest !== '') return (await import('./lmdb.ts')).lmdbStream({ path: rest, ...options })
  if (scheme === 'redis' || scheme === 'rediss') return (await import('./redis.ts')).redisStream({ url, ...options })
  throw new Error(`no stream backend for ${namedByScheme(split)}; use lmdb:<folder>, redis://host:port/db or memory:`)
}
