import { setTimeout as delay } from 'node:timers/promises'
import { redactUrl, sentence, type Service } from '@ballast/service'
import { openCounterStore, troubleOf, type CounterStore } from '@ballast/state-stores/counter'
import type { AttributedStore } from './attributed-store.ts'
import { AuditLog } from './audit/audit-log.ts'
import { auditedStore, reconcile } from './audit/audited-store.ts'
import { Ledger } from './audit/ledger.ts'
import type { ServeConfig } from './config.ts'
import { measuredStore } from './measured-store.ts'
import { counterMetrics, type CounterMetrics } from './metrics.ts'
import { replaceable, unusableStore } from './unusable-store.ts'
import { watchCaveat } from './watch-caveat.ts'

/** A volume that is read-only may be so for a moment. */
const tryAgainMs = 2_000

/**
 * The store of the configuration. One that is damaged, or on a volume that cannot be written, does not keep the service
 * from starting: it is not ready, answers each request with what is wrong, and changes nothing. What is damaged is
 * looked at again by the next start only, lest it be taken for an empty store while somebody repairs it.
 */
export async function openServedStore(service: Service<ServeConfig>): Promise<AttributedStore> {
  const measures = counterMetrics(service.metrics)
  let store: CounterStore
  try {
    store = await open(service.config, measures)
  } catch (error) {
    const kind = troubleOf(error)?.kind
    if (kind !== 'damaged' && kind !== 'read-only') throw error
    return waitForRepair(service, measures, error, kind)
  }
  return furnish(service, store, measures)
}

function open(config: ServeConfig, { observer }: CounterMetrics): Promise<CounterStore> {
  const { tokenWindowMs, maxTokens, maxQueued, lockTimeoutMs, storeTimeoutMs: timeoutMs } = config
  const setting = '--store (COUNTER_STORE)'
  const limits = { tokenWindowMs, maxTokens, maxQueued, lockTimeoutMs, timeoutMs }
  return openCounterStore(config.store, { ...limits, observer, setting })
}

function waitForRepair(
  service: Service<ServeConfig>,
  measures: CounterMetrics,
  why: unknown,
  kind: 'damaged' | 'read-only',
): AttributedStore {
  const { log, config, stopping } = service
  const then = kind === 'damaged' ? ', and start again' : ''
  log.error({ store: redactUrl(config.store), needsRepair: true }, `not ready: ${sentence(why)}${then}`)
  const { store, replace } = replaceable(unusableStore(why))
  const again = async (): Promise<void> => {
    await delay(tryAgainMs, undefined, { signal: stopping })
    let opened: CounterStore
    try {
      opened = await open(config, measures)
    } catch (error) {
      replace(unusableStore(error))
      return troubleOf(error)?.kind === 'damaged' ? undefined : again()
    }
    replace(await furnish(service, opened, measures))
    log.info('the store can be used now')
  }
  if (kind === 'read-only') again().catch((error: unknown) => stopping.aborted || service.fail(error))
  return store
}

/** With all that watches it, and closed with the service. */
async function furnish(
  service: Service<ServeConfig>,
  store: CounterStore,
  measures: CounterMetrics,
): Promise<AttributedStore> {
  const { config, log } = service
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
