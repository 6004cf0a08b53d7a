import { fileURLToPath } from 'node:url'
import { createLeases, type LeasesOptions } from './leases.ts'
import { LeaseStoreError, type Leases, type LeaseStore } from './port.ts'

/**
 * `memory:`, `file:<folder>`, `redis://`, `rediss://`, `postgres://`, `kubernetes:`. Imports the driver of that one only.
 * Rejects with `LeaseStoreError`, one sentence without passwords.
 */
export async function openLeaseStore(url: string): Promise<LeaseStore> {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  switch (scheme) {
    case 'memory:':
      return new (await import('./memory.ts')).MemoryLeaseStore()
    case 'file:':
      return (await import('./file.ts')).FileLeaseStore.open(folderOf(url))
    case 'redis:':
    case 'rediss:':
      return (await import('./redis.ts')).RedisLeaseStore.open(url)
    case 'postgres:':
    case 'postgresql:':
      return (await import('./postgres.ts')).PostgresLeaseStore.open(url)
    case 'kubernetes:':
      return (await import('./kubernetes.ts')).KubernetesLeaseStore.open(url)
    default:
      throw new LeaseStoreError(
        `no leases in "${scheme}": use memory:, file:, redis:, rediss:, postgres: or kubernetes:`,
      )
  }
}

export async function openLeases(url: string, options: LeasesOptions = {}): Promise<Leases> {
  return createLeases(await openLeaseStore(url), options)
}

/** `file:./leases` is relative to the working directory, `file:///var/leases` is absolute. */
const folderOf = (url: string): string => (url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length))
