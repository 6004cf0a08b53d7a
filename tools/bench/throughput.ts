import { generateLoad } from '../load/generate-load.ts'
import { failures, type LoadOptions } from '../load/options.ts'

/** Answered requests a second; a figure with failed requests in it would mean nothing, so one failure fails the case. */
export async function throughput(options: LoadOptions): Promise<number> {
  const result = await generateLoad(options)
  if (failures(result) > 0) {
    throw new Error(`requests failed: ${JSON.stringify({ ...result.refused, ...result.broken })}`)
  }
  return result.perSecond
}
