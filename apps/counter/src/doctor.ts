import { doctorCommand, storeCheck } from '@ballast/service'
import { openCounterStore } from '@ballast/state-stores/counter'
import { serveConfig } from './config.ts'

const setting = '--store (COUNTER_STORE)'

/** The command `doctor`. */
export const doctor = doctorCommand(serveConfig, ({ store, lockTimeoutMs, storeTimeoutMs: timeoutMs }) => [
  storeCheck('--store', store, (url) => openCounterStore(url, { setting, lockTimeoutMs, timeoutMs })),
])
