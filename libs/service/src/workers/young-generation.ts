import { getHeapStatistics } from 'node:v8'

const flag = '--max-semi-space-size'
/** Node's own choice, of the limit of the heap that follows from the machine's or the container's memory. */
const nodesShare = 64

/**
 * Flags for a process whose young generation shall not be larger than `mb` for each half. None where whoever starts the program
 * gave one of his own, or where Node takes less: in a container of half a gigabyte.
 */
export function youngGenerationFlags(
  mb: number | undefined,
  given = `${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`,
  heapLimitBytes = getHeapStatistics().heap_size_limit,
): readonly string[] {
  if (mb === undefined || heapLimitBytes / nodesShare <= mb * 2 ** 20) return []
  // Node takes both spellings.
  return given.replaceAll('_', '-').includes(flag) ? [] : [`${flag}=${mb}`]
}
