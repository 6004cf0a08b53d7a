import { openLeaseStore } from '@ballast/locking/lease'
import { doctorCommand, storeCheck } from '@ballast/service'
import { openWorkerRegistry } from '@ballast/state-stores/worker-registry'
import { openWorkItemStore } from '@ballast/state-stores/work-item'
import { controlPlaneConfig, storeSetting as setting, workerConfig } from './config.ts'

/** Of a control plane and of a worker, as both are wanted where rows shall be ticked. */
const config = { ...controlPlaneConfig, options: { ...workerConfig.options, ...controlPlaneConfig.options } }

/** The command `doctor`. */
export const doctor = doctorCommand(config, ({ store, registry, election }) => [
  storeCheck('--store', store, (url) => openWorkItemStore(url, { setting, applicationName: 'scaler doctor' })),
  ...(registry === undefined ? [] : [storeCheck('--registry', registry, openWorkerRegistry)]),
  ...(election === 'database' ? [] : [storeCheck('--election', election, openLeases)]),
])

/** Gives back what nobody has: the store has to look, and nothing changes. */
async function openLeases(url: string) {
  const leases = await openLeaseStore(url)
  return {
    check: async () => void (await leases.release('ballast-scaler', '0'.repeat(32), { timeoutMs: 5_000 })),
    [Symbol.asyncDispose]: () => leases[Symbol.asyncDispose](),
  }
}
