import type { Service } from '@ballast/service'
import { openBlobStore, type Damage } from '@ballast/state-stores/blob'
import { build } from './app.ts'
import type { ServeConfig } from './config.ts'
import { messageMetrics } from './metrics.ts'
import { openTier } from './open-tier.ts'
import { Scrubber } from './scrub/scrubber.ts'
import { policiesOf } from './policies.ts'
import { familyNames, isFamily, type FamilyName } from './routes/families/index.ts'

export async function serve({ config, log, health, serverOptions, ...service }: Service<ServeConfig>): Promise<void> {
  const {
    compat,
    delete: allowDelete,
    maxQueued,
    maxQueuedBytes,
    quotaBytes,
    maxBlobBytes,
    publicUrl,
    uploadTimeoutMs,
  } = config
  const families = familiesOf(config.families)
  const metrics = messageMetrics(service.metrics)
  const onDamage = (damage: Damage): void => {
    metrics.damaged(damage)
    log.error(damage, 'a stored message is damaged; its bytes were set aside')
  }
  const opened = await openBlobStore(config.store, {
    families: policiesOf(config),
    compression: config.compression,
    onDamage,
    setting: '--store (MESSAGE_STORE_STORE)',
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(maxBlobBytes === undefined ? {} : { maxBlobBytes }),
  })
  const store = await openTier(opened, { config, log, metrics: service.metrics, onDamage })
  service.onClose('store', () => store.close())
  if (Object.keys(store.capabilities.lacks).length > 0) {
    log.info({ lacks: store.capabilities.lacks }, 'what this store does not keep, and why')
  }
  if (!store.capabilities.durable) log.warn({ store: config.store }, 'messages are forgotten when this process ends')
  await store.check().catch((error: unknown) => log.error(error, 'the store is not ready; what can be read is served'))
  health.add({ name: 'store', gates: 'ready', check: () => store.check() })
  const { scrubBytesPerSecond: bytesPerSecond, scrubEveryMs: everyMs } = config
  if (bytesPerSecond > 0 && store.capabilities.lacks.scrub === undefined) {
    const onError = (error: unknown): void => log.warn(error, 'the scrub was interrupted')
    const scrubber = new Scrubber({ store, metrics: service.metrics, bytesPerSecond, everyMs, onError })
    service.onClose('scrub', () => scrubber.stop())
  }
  const limits = { maxQueued, maxQueuedBytes }
  const app = await build({
    store,
    server: serverOptions,
    metrics,
    compat,
    allowDelete,
    limits,
    families,
    uploadTimeoutMs,
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/+$/, '') }),
  })
  await service.listen(app)
}

function familiesOf(names: readonly string[]): readonly FamilyName[] {
  if (names.join() === 'none') return []
  return names.map((name) => {
    if (isFamily(name)) return name
    throw new Error(`--families knows ${familyNames.join(', ')} and none, not ${JSON.stringify(name)}`)
  })
}
