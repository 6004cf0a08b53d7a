import { fileURLToPath } from 'node:url'
import type { FileStoreOptions } from './file/options.ts'
import type { CounterStore } from './port.ts'
import type { ServerStoreOptions } from './server-options.ts'

export type OpenOptions = Omit<FileStoreOptions, 'path'> & ServerStoreOptions

/**
 * Opens the store that a URL names: `file:<path>`, relative to the working folder, `memory:`, or a server by
 * `redis://...` (`rediss:` over TLS), `postgres://...` or `dynamodb://...`. An adapter is loaded only when it is chosen.
 */
export async function openCounterStore(url: string, options: OpenOptions = {}): Promise<CounterStore> {
  const { setting = '--store' } = options
  const scheme = /^[a-z][a-z0-9+.-]*:/.exec(url)?.[0]
  const rest = url.slice(scheme?.length ?? 0)
  if (scheme === 'memory:') return (await import('./memory.ts')).memoryCounterStore(options)
  if (scheme === 'file:' && rest !== '') {
    const path = rest.startsWith('//') ? fileURLToPath(url) : rest
    return (await import('./file.ts')).fileCounterStore({ ...options, path })
  }
  if (scheme === 'redis:' || scheme === 'rediss:') {
    return (await import('./redis.ts')).redisCounterStore({ ...options, url })
  }
  if (scheme === 'postgres:' || scheme === 'postgresql:') {
    return (await import('./postgres.ts')).postgresCounterStore({ ...options, url })
  }
  if (scheme === 'dynamodb:') return (await import('./dynamodb.ts')).dynamoCounterStore({ ...options, url })
  // Only the scheme: what was pasted may hold a password.
  throw new Error(
    `"${scheme ?? rest.slice(0, 20)}" names no counter store: say ${setting} file:<path>, redis://..., postgres://... or dynamodb://..., or memory: for one that forgets at the end`,
  )
}
