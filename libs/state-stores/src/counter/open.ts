import { fileURLToPath } from 'node:url'
import { namedByScheme, splitScheme } from '../split-scheme.ts'
import type { FileStoreOptions } from './file/options.ts'
import type { CounterStore } from './port.ts'
import type { ServerStoreOptions } from './server-options.ts'

export type OpenOptions = Omit<FileStoreOptions, 'path'> & ServerStoreOptions

/**
 * Opens the store that a URL names: `file:<path>`, relative to the working folder (`?mode=shared` for several processes), `memory:`, or a server by
 * `redis://...` (`rediss:` over TLS), `postgres://...` or `dynamodb://...`. An adapter is loaded only when it is chosen.
 */
export async function openCounterStore(given: string, options: OpenOptions = {}): Promise<CounterStore> {
  const { setting = '--store' } = options
  const split = splitScheme(given)
  const { url, scheme, rest } = split
  if (scheme === 'memory') return (await import('./memory.ts')).memoryCounterStore(options)
  if (scheme === 'file' && rest !== '') {
    const [file = '', query = ''] = rest.split('?', 2)
    const mode = fileMode(query, setting)
    const path = file.startsWith('//') ? fileURLToPath(`file:${file}`) : file
    const { fileCounterStore, sharedFileCounterStore } = await import('./file.ts')
    return mode === 'shared' ? sharedFileCounterStore({ ...options, path }) : fileCounterStore({ ...options, path })
  }
  if (scheme === 'redis' || scheme === 'rediss') {
    return (await import('./redis.ts')).redisCounterStore({ ...options, url })
  }
  if (scheme === 'postgres' || scheme === 'postgresql') {
    return (await import('./postgres.ts')).postgresCounterStore({ ...options, url })
  }
  if (scheme === 'dynamodb') return (await import('./dynamodb.ts')).dynamoCounterStore({ ...options, url })
  throw new Error(
    `${namedByScheme(split)} names no counter store: say ${setting} file:<path>, redis://..., postgres://... or dynamodb://..., or memory: for one that forgets at the end`,
  )
}

function fileMode(query: string, setting: string): 'exclusive' | 'shared' {
  const parameters = new URLSearchParams(query)
  const mode = parameters.get('mode') ?? 'exclusive'
  const unknown = [...parameters.keys()].find((name) => name !== 'mode')
  if (unknown === undefined && (mode === 'exclusive' || mode === 'shared')) return mode
  const what = unknown === undefined ? `mode=${mode}` : unknown
  throw new Error(`the file of counters knows no "${what}": say ${setting} file:<path> or file:<path>?mode=shared`)
}
