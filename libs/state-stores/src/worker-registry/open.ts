import { memoryWorkerRegistry } from './memory.ts'
import type { WorkerRegistry } from './port.ts'

/** Opens the registry that the URL names: `memory:` or `redis://host:port/db`. */
export async function openWorkerRegistry(url: string): Promise<WorkerRegistry> {
  if (url === 'memory:') return memoryWorkerRegistry()
  if (/^rediss?:/.test(url)) return (await import('./redis.ts')).redisWorkerRegistry({ url })
  // Only the scheme: what was pasted may hold a password.
  throw new Error(`no worker registry of the kind "${url.split(':')[0]}"; use memory: or redis://host:port/db`)
}
