import type { Service } from '@ballast/service'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions, type PartitionsOptions } from '@ballast/state-stores/stream'
import { boundsOf, type ApiConfig, settings } from './config.ts'
import { watchStores } from './watch-stores.ts'

/** How the api opens its queue. */
export function queueOptionsOf(config: ApiConfig): PartitionsOptions {
  const { wantFsynced, wantReplicas, partitions } = config
  const wanted = {
    ...(wantFsynced ? { fsyncedLocal: true } : {}),
    ...(wantReplicas === undefined ? {} : { replicas: wantReplicas }),
  }
  return { bounds: boundsOf(config), partitions, setting: settings.stream, wanted }
}

/**
 * Starts the processes that accept writes and replaces those that end. Each has its own connections to the stores, its
 * micro-batches and its ids, so nothing goes through this process. It opens the stores first, so that what is wrong with
 * them is said once, and keeps them to tell at `--metrics-listen` whether writes can be accepted, however busy the workers are.
 */
export async function superviseWorkers(service: Service<ApiConfig>): Promise<void> {
  const { config, health } = service
  if ([config.stream, config.documents].some((url) => url.startsWith('memory:'))) {
    throw new Error('--workers needs stores that processes can share: memory: belongs to one process')
  }
  const stream = await openPartitions(config.stream, { ...queueOptionsOf(config), watchesOthers: true })
  service.onClose('stream', () => stream.close())
  const documents = await openDocumentStore(config.documents, { setting: settings.documents })
  service.onClose('documents', () => documents.close())
  watchStores(health, { stream, documents, strict: config.strictAssessment })
  await service.startWorkers({ count: config.workers, answer: noAnswer, youngGenerationMb })
}

/**
 * Of ten thousand who ask without a pause a thousand or two are always under way. In Node's 64 MB per half they survive as well as in
 * these, and a worker held 600 MB instead of 450 to 500; the rate is the same.
 */
const youngGenerationMb = 16

const noAnswer = (): Promise<never> => Promise.reject(new TypeError('a worker asks what nobody answers'))
