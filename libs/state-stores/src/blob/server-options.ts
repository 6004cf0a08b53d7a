import { refusePolicies } from './families.ts'
import type { BlobOptions } from './port.ts'

/** For stores that are servers. */
export interface ServerBlobOptions extends BlobOptions {
  /** How long one call to the server may take. Default: 5 s. */
  readonly timeoutMs?: number
  /** Unix ms, for tests. */
  readonly now?: () => number
}

/** Servers that cannot count what they hold would keep a quota by chance only. */
export function refuseQuota({ quotaBytes, families, compression }: BlobOptions, label: string): void {
  if (compression === 'zstd') throw new Error(`${label} keeps bytes as they are: leave the compression to the server`)
  refusePolicies(families, label)
  if (quotaBytes === undefined) return
  throw new Error(`${label} does not count its bytes and keeps no quota: leave the quota out`)
}
