import type { Service } from '@ballast/service'
import { openBlobStore, tieredBlobStore, tierFamily, type BlobStore, type Damage } from '@ballast/state-stores/blob'
import type { ServeConfig } from './config.ts'

type Deps = Pick<Service<ServeConfig>, 'config' | 'log' | 'metrics'> & {
  readonly onDamage: (damage: Damage) => void
}

/** The store behind the local cache of `--tier`; the store itself where there is none. Closes it when that fails. */
export async function openTier(store: BlobStore, deps: Deps): Promise<BlobStore> {
  const { tier } = deps.config
  if (tier === undefined) return store
  try {
    return await inFrontOf(store, tier, deps)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function inFrontOf(store: BlobStore, tier: string, { config, log, metrics, onDamage }: Deps): Promise<BlobStore> {
  if (/^(lmdb|memory):/i.test(config.store)) {
    throw new Error(`--tier (MESSAGE_STORE_TIER) is for stores on servers: ${config.store} is local itself`)
  }
  if (!/^(lmdb:.|memory:$)/i.test(tier)) {
    throw new Error(`--tier (MESSAGE_STORE_TIER) must be lmdb:<folder> or memory:, not ${JSON.stringify(tier)}`)
  }
  const reads = metrics.counter({
    name: 'message_store_tier_reads_total',
    help: 'Reads of what is stored, by what the local cache had of it',
    labelNames: ['outcome'],
  })
  const cache = await openBlobStore(tier, {
    quotaBytes: config.tierBytes,
    families: { [tierFamily]: { whenFull: 'evict' } },
    onDamage,
    setting: '--tier (MESSAGE_STORE_TIER)',
  })
  return tieredBlobStore({
    store,
    cache,
    onRead(outcome, error) {
      reads.inc({ outcome })
      if (outcome === 'failed') log.warn(error, 'the local cache failed; the store answers alone')
    },
  })
}
