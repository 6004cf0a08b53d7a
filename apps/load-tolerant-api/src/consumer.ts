import { randomUUID } from 'node:crypto'
import { consoleRoutes } from '@ballast/console'
import { buildServer, type Service } from '@ballast/service'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions } from '@ballast/state-stores/stream'
import { settings, type ConsumerConfig } from './config.ts'
import { consumerConsole } from './console.ts'
import { Flusher } from './flusher.ts'
import { flushMetrics, observeLosses, observeParked } from './flush-metrics.ts'
import { observeQueue } from './queue-metrics.ts'

/** The command `consumer`: the process that moves what is queued to the document store. */
export async function consumer(service: Service<ConsumerConfig>): Promise<void> {
  const { config, health, log, metrics, stopping } = service
  const stream = await openPartitions(config.stream, {
    setting: settings.stream,
    claimTimeoutMs: config.claimTimeoutMs,
    onLost: observeLosses(metrics, log),
    onParked: observeParked(metrics, log),
  })
  service.onClose('stream', () => stream.close())
  const documents = await openDocumentStore(config.documents, { setting: settings.documents })
  service.onClose('documents', () => documents.close())
  observeQueue(metrics, stream)

  const incarnation = `${config.consumerName}:${randomUUID()}`
  const flusher = new Flusher({
    stream,
    documents,
    incarnation,
    commandsPerSecond: config.commandsPerSecond,
    maxBatchDocuments: config.maxBatchDocuments,
    maxBatchBytes: config.maxBatchBytes,
    commandTargetMs: config.commandTargetMs,
    batchDelayMs: config.batchDelayMs,
    maxTakeovers: config.maxTakeovers,
    observe: flushMetrics(metrics, log),
  })
  health.add({ name: 'stream', gates: 'ready', check: () => stream.check() })
  health.add({ name: 'documents', gates: 'none', check: () => documents.check() })
  metrics.gauge({
    name: 'load_tolerant_api_breaker_open',
    help: '1 while the document store or the queue fails and rounds are probes',
    collect() {
      this.set(flusher.failures > 0 ? 1 : 0)
    },
  })
  metrics.gauge({
    name: 'load_tolerant_api_command_bytes_limit',
    help: 'most bytes of the next write command, from how long the ones before took for theirs',
    collect() {
      this.set(flusher.commandBytes)
    },
  })
  metrics.gauge({
    name: 'load_tolerant_api_held_partitions',
    help: 'partitions of the queue whose active consumer this is; 0 while there is only one, which needs none',
    collect() {
      this.set(stream.held.length)
    },
  })

  const app = await buildServer(service.serverOptions)
  await app.register(consoleRoutes, consumerConsole(service.serverOptions, config.commandsPerSecond))
  await service.listen(app)
  log.info({ incarnation }, 'consuming')
  const running = flusher.run(stopping)
  // It ends by itself only when something is broken: better gone and restarted than alive and idle.
  running.catch((error: unknown) => service.fail(error))
  service.onClose('flusher', () => running)
}
