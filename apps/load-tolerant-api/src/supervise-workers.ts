import type { Service } from '@ballast/service'
import { openDocumentStore } from '@ballast/state-stores/document'
import { type Durability, openStream } from '@ballast/state-stores/stream'
import { boundsOf, type ApiConfig, settings } from './config.ts'

export function wantedOf(config: Pick<ApiConfig, 'wantFsynced' | 'wantReplicas'>): Partial<Durability> {
  const { wantFsynced, wantReplicas } = config
  return {
    ...(wantFsynced ? { fsyncedLocal: true } : {}),
    ...(wantReplicas === undefined ? {} : { replicas: wantReplicas }),
  }
}

/**
 * Starts the processes that accept writes and replaces those that end. Each has its own connections to the stores, its
 * micro-batches and its ids, so nothing goes through this process. The stores are tried first: what is wrong with them is
 * said once.
 */
export async function superviseWorkers(service: Service<ApiConfig>): Promise<void> {
  const { config } = service
  if ([config.stream, config.documents].some((url) => url.startsWith('memory:'))) {
    throw new Error('--workers needs stores that processes can share: memory: belongs to one process')
  }
  const options = { bounds: boundsOf(config), setting: settings.stream, wanted: wantedOf(config) }
  await (await openStream(config.stream, options)).close()
  await (await openDocumentStore(config.documents, { setting: settings.documents })).close()
  await service.startWorkers({ count: config.workers, answer: noAnswer })
}

const noAnswer = (): Promise<never> => Promise.reject(new TypeError('a worker asks what nobody answers'))
