import type { FencedStore } from '../contract.ts'
import { fencedInFile } from './fenced-file.ts'
import { fencedInPostgres } from './fenced-postgres.ts'
import { fencedInRedis } from './fenced-redis.ts'

/** The fenced store beside the leases of that URL. */
export function openFenced(url: string): Promise<FencedStore> {
  if (url.startsWith('file:')) return fencedInFile(url.slice('file:'.length))
  return url.startsWith('postgres') ? fencedInPostgres(url) : fencedInRedis(url)
}
