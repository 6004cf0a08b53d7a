import type { Service } from '@ballast/service'
import { openCache } from '@ballast/state-stores/cache'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions } from '@ballast/state-stores/stream'
import { openAdmission } from './admission/open-admission.ts'
import { build } from './app.ts'
import { boundsOf, settings, type ApiConfig } from './config.ts'
import { DrainRate } from './drain-rate.ts'
import { endWithPrimary } from './end-with-primary.ts'
import { HotRead } from './hot-read.ts'
import { observeQueue } from './queue-metrics.ts'
import { StoredWait } from './stored-wait.ts'
import { queueOptionsOf, superviseWorkers } from './supervise-workers.ts'
import { timestampsOf } from './timestamps.ts'
import { watchStores } from './watch-stores.ts'
import { Writer } from './writer.ts'
import { Writes } from './writes.ts'

/** The command `api`: the process that accepts writes, or with `--workers` the one that watches over such. */
export async function api(service: Service<ApiConfig>): Promise<void> {
  if (service.config.workers > 1 && service.primary === undefined) return superviseWorkers(service)
  if (service.primary !== undefined) await endWithPrimary()
  const { config, metrics, health } = service
  const bounds = boundsOf(config)
  const stream = await openPartitions(config.stream, {
    ...queueOptionsOf(config),
    onVolatile: (reason) => service.log.warn(`answered writes do not outlive the queue's server: ${reason}`),
  })
  service.onClose('stream', () => stream.close())
  const documents = await openDocumentStore(config.documents, { setting: settings.documents })
  service.onClose('documents', () => documents.close())
  const cache = await openCache(config.cache, { setting: settings.cache })
  service.onClose('cache', () => cache.close())

  const accepted = metrics.counter({
    name: 'load_tolerant_api_accepted_documents_total',
    help: 'documents which the queue took',
  })
  const refused = metrics.counter({
    name: 'load_tolerant_api_refused_requests_total',
    help: 'requests whose write was not acknowledged, by the code of the problem',
    labelNames: ['code'],
  })
  const appendSeconds = metrics.histogram({
    name: 'load_tolerant_api_append_seconds',
    help: 'duration of one append to the queue, the sync included',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  })
  const appendRequests = metrics.histogram({
    name: 'load_tolerant_api_append_requests',
    help: 'requests that shared one append',
    buckets: [1, 4, 16, 64, 256, 1024, 2048],
  })
  observeQueue(metrics, stream)

  const writer = new Writer({
    stream,
    maxEntryBytes: bounds.maxEntryBytes,
    observe(entries, outcomes, requests, durationMs) {
      entries.forEach((entry, index) => {
        if (outcomes[index]?.outcome === 'appended') accepted.inc(entry.documents)
      })
      appendRequests.observe(requests)
      appendSeconds.observe(durationMs / 1000)
    },
  })
  service.onClose('writer', () => writer.close())
  const hotRead = new HotRead({ cache, documents, ttlMs: config.cacheTtlMs, staleMs: config.cacheStaleMs })
  metrics.counter({
    name: 'load_tolerant_api_cache_reads_total',
    help: 'reads of the hot key by how they were answered',
    labelNames: ['result'],
    collect() {
      this.reset()
      const { hits, stale, misses } = hotRead.counts
      this.inc({ result: 'hit' }, hits)
      this.inc({ result: 'stale' }, stale)
      this.inc({ result: 'miss' }, misses)
    },
  })

  metrics.counter({
    name: 'load_tolerant_api_cache_loads_total',
    help: 'reads of the document store for the hot key: after a miss, or to refresh it',
    collect() {
      this.reset()
      this.inc(hotRead.counts.loads)
    },
  })

  const drainRate = new DrainRate()
  const sample = async (): Promise<void> => drainRate.sample(await stream.backlog(), Date.now())
  const sampling = setInterval(() => void sample().catch(() => {}), 1000).unref()
  service.onClose('drain rate', () => clearInterval(sampling))
  await sample()

  watchStores(health, { stream, documents, strict: config.strictAssessment })
  health.add({ name: 'cache', gates: 'none', check: () => cache.check() })

  const writes = new Writes({
    writer,
    drainRate,
    bounds,
    admission: openAdmission(config, metrics),
    storedWait: new StoredWait({
      documents,
      stream,
      maxWaiting: config.maxStoreWaits,
      timeoutMs: config.storeWaitMs,
    }),
    refused: (code) => refused.inc({ code }),
  })
  const timestamps = timestampsOf(config.timestamps)
  const server = service.serverOptions
  await service.listen(await build({ server, stream, documents, cache, hotRead, writes, timestamps }))
}
