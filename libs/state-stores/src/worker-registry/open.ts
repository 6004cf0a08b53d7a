import { namedByScheme, splitScheme } from '../split-scheme.ts'
import { memoryWorkerRegistry } from './memory.ts'
import type { WorkerRegistry } from './port.ts'

/** Opens the registry that the URL names: `memory:` or `redis://host:port/db`. */
export async function openWorkerRegistry(given: string): Promise<WorkerRegistry> {
  const split = splitScheme(given)
  const { url, scheme } = split
  if (url === 'memory:') return memoryWorkerRegistry()
  if (scheme === 'redis' || scheme === 'rediss') return (await import('./redis.ts')).redisWorkerRegistry({ url })
  throw new Error(`no worker registry for ${namedByScheme(split)}; use memory: or redis://host:port/db`)
}
