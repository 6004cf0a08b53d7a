import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { LoadOptions, LoadResult } from './options.ts'

/**
 * Runs a load in a thread of its own, so that neither the measuring program nor a server inside it is slowed by the
 * clients. Resolves after the last answer.
 */
export async function generateLoad(options: LoadOptions): Promise<LoadResult> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: options })
  const [result]: LoadResult[] = (await once(worker, 'message')) as LoadResult[]
  if (result === undefined) throw new Error('the load generator ended without a result')
  return result
}
