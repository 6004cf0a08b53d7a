import { fileURLToPath } from 'node:url'
import type { FileStoreOptions } from './file/options.ts'
import type { CounterStore } from './port.ts'

export type OpenOptions = Omit<FileStoreOptions, 'path'>

/**
 * Opens the store that a URL names: `file:<path>`, relative to the working folder, or `memory:`.
 * An adapter is loaded only when it is chosen.
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
  throw new Error(
    `"${url}" names no counter store: say ${setting} file:<path>, or memory: for one that forgets at the end`,
  )
}
