import type { ServiceDefinition } from '../service.ts'
import { counter } from './counter.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'
import { messageStore } from './message-store.ts'
import { scaler } from './scaler.ts'

/** In the order in which they are shown. */
export const allServices: readonly ServiceDefinition[] = [counter, messageStore, scaler, loadTolerantApi]
