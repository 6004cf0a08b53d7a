import { doctorCommand, storeCheck } from '@ballast/service'
import { openBlobStore } from '@ballast/state-stores/blob'
import { serveConfig } from './config.ts'

/** The command `doctor`. */
export const doctor = doctorCommand(serveConfig, ({ store, tier }) => [
  storeCheck('--store', store, (url) => openBlobStore(url, { setting: '--store (MESSAGE_STORE_STORE)' })),
  ...(tier === undefined
    ? []
    : [storeCheck('--tier', tier, (url) => openBlobStore(url, { setting: '--tier (MESSAGE_STORE_TIER)' }))]),
])
