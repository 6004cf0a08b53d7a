import type { StreamOptions, WriteStream } from './port.ts'

/** Opens the queue that the URL names: `lmdb:<folder>`, `redis://host:port/db` or `memory:`. */
export async function openStream(url: string, options: StreamOptions = {}): Promise<WriteStream> {
  const colon = url.indexOf(':')
  const [scheme, rest] = [url.slice(0, colon), url.slice(colon + 1)]
  if (scheme === 'memory') return (await import('./memory.ts')).memoryStream(options)
  if (scheme === 'lmdb' && rest !== '') return (await import('./lmdb.ts')).lmdbStream({ path: rest, ...options })
  if (scheme === 'redis' || scheme === 'rediss') return (await import('./redis.ts')).redisStream({ url, ...options })
  throw new Error(`no stream backend for "${url}"; use lmdb:<folder>, redis://host:port/db or memory:`)
}
