import { openStream, type OpenStreamOptions } from './open.ts'
import { partitionUrl } from './partition-names.ts'
import { type PartitionedStream, partitionedStream } from './partitioned.ts'
import { defaultBounds, defaultClaimTimeoutMs } from './port.ts'

export interface PartitionsOptions extends OpenStreamOptions {
  /** How many this handle appends to, 1 (default) to 16; each has an equal part of the bounds. All there are are read. */
  readonly partitions?: number
}

export const mostPartitions = 16

/** Opens the queue that the URL names with all its partitions: `writes`, `writes-1`, ... in a Redis, folders in a folder. */
export function openPartitions(url: string, options: PartitionsOptions = {}): Promise<PartitionedStream> {
  const { partitions = 1, bounds, claimTimeoutMs = defaultClaimTimeoutMs, now, ...others } = options
  const { maxEntries, maxBytes, ...limits } = { ...defaultBounds, ...bounds }
  const part = {
    ...limits,
    maxEntries: Math.max(1, Math.floor(maxEntries / partitions)),
    maxBytes: Math.max(1, Math.floor(maxBytes / partitions)),
  }
  const streamOptions = { ...others, claimTimeoutMs, bounds: part, ...(now === undefined ? {} : { now }) }
  return partitionedStream({
    open: (partition) => openStream(partitionUrl(url, partition), streamOptions),
    appendTo: partitions,
    claimTimeoutMs,
    maxEntryBytes: limits.maxEntryBytes,
    now: now ?? (() => performance.now()),
  })
}
