import { redactUrl, type Service } from '@ballast/service'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'
import { AuditLog } from './audit/audit-log.ts'
import { auditedStore, reconcile } from './audit/audited-store.ts'
import { Ledger } from './audit/ledger.ts'
import { build } from './app.ts'
import type { AttributedStore } from './attributed-store.ts'
import type { ServeConfig } from './config.ts'
import { InFlight } from './idempotency.ts'
import { measuredStore } from './measured-store.ts'
import { counterMetrics } from './metrics.ts'
import { watchCaveat } from './watch-caveat.ts'
import { openRemoteStore } from './workers/remote-store.ts'
import { openBuffer } from './open-buffer.ts'
import { answerQuestion, isQuestion } from './workers/store-questions.ts'

/**
 * One process that owns the store and serves HTTP; or with `--workers 2` and more, one that owns it for life, and that
 * many which serve HTTP and send it their operations: it commits what all of them wait for together.
 */
export async function serve(service: Service<ServeConfig>): Promise<void> {
  const { config, primary } = service
  if (primary !== undefined) return serveHttp(service, await openRemoteStore(primary))
  const store = await openStore(service)
  if (config.workers === 1) return serveHttp(service, store)
  service.health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  const inFlight = new InFlight()
  await service.startWorkers({
    count: config.workers,
    answer: async (question) => {
      if (!isQuestion(question)) throw new TypeError('a worker asks what nobody answers')
      return answerQuestion(store, question, inFlight)
    },
  })
}

async function serveHttp(service: Service<ServeConfig>, store: AttributedStore): Promise<void> {
  service.health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  const { config, log, metrics, serverOptions } = service
  const { maxStreams, streamPollMs: pollMs, buffered, flushIntervalMs } = config
  const buffer = openBuffer(store, { patterns: buffered, flushIntervalMs }, metrics, log)
  if (buffer !== undefined) service.onClose('buffered additions', () => buffer.close())
  await service.listen(await build({ store, server: serverOptions, streams: { maxStreams, pollMs }, buffer }))
}

async function openStore(service: Service<ServeConfig>): Promise<AttributedStore> {
  const { config, log, metrics } = service
  const { tokenWindowMs, maxTokens, maxQueued, lockTimeoutMs, storeTimeoutMs } = config
  const measures = counterMetrics(metrics)
  const store: CounterStore = await openCounterStore(config.store, {
    tokenWindowMs,
    maxTokens,
    maxQueued,
    lockTimeoutMs,
    timeoutMs: storeTimeoutMs,
    observer: measures.observer,
    setting: '--store (COUNTER_STORE)',
  })
  service.onClose('store', () => store.close())
  const about = { store: redactUrl(config.store) }
  const unwatch = watchCaveat(store, {
    warn: (caveat) => log.warn(about, caveat),
    info: (sentence) => log.info(about, sentence),
  })
  service.onClose('watch of the store', unwatch)
  const measured = measuredStore(store, measures)
  if (config.auditLog === undefined) return measured
  const ledger = new Ledger()
  const audit = await AuditLog.open(config.auditLog, (record) => void ledger.enter(record), measures.auditSynced)
  service.onClose('audit log', () => audit.close())
  const statements = await reconcile(measured, ledger, audit)
  if (statements > 0) log.warn({ statements }, 'counters had changed since the audit log was written; it says so now')
  return auditedStore(measured, audit)
}
