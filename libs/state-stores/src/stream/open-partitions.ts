import { openStream, type OpenStreamOptions } from './open.ts'
import { partitionUrl } from './partition-names.ts'
import { type PartitionedStream, partitionedStream } from './partitioned.ts'
import { defaultBounds, defaultClaimTimeoutMs } from './port.ts'

export interface PartitionsOptions extends OpenStreamOptions {
  /**
   * How many this handle appends to, 1 (default) to 16; each has an equal part of the bounds. All there are are read.
   * `existing`: as many as there are, for whoever appends nothing of his own but puts dead letters back within the bounds.
   */
  readonly partitions?: number | 'existing'
}

export const mostPartitions = 16

/** Opens the queue that the URL names with all its partitions: `writes`, `writes-1`, ... in a Redis, folders in a folder. */
export async function openPartitions(url: string, options: PartitionsOptions = {}): Promise<PartitionedStream> {
  const { partitions: wantedPartitions = 1, bounds, claimTimeoutMs = defaultClaimTimeoutMs, now, ...others } = options
  const { maxEntries, maxBytes, ...limits } = { ...defaultBounds, ...bounds }
  const partitions = wantedPartitions === 'existing' ? await existing(url, others) : wantedPartitions
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
    bounds: part,
    now: now ?? (() => performance.now()),
  })
}

async function existing(url: string, options: OpenStreamOptions): Promise<number> {
  await using first = await openStream(url, options)
  return await first.roster.partitions(1)
}
