import type { Suite } from '../case.ts'
import { counter } from './counter.ts'
import { hashing } from './hashing.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'
import { messageStore } from './message-store.ts'
import { scaler } from './scaler.ts'
import { service } from './service.ts'

export const suites: readonly Suite[] = [counter, messageStore, scaler, loadTolerantApi, service, hashing]
