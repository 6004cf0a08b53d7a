import type { Visit } from '../visit.ts'
import { counter } from './counter.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'
import { messageStore } from './message-store.ts'
import { scaler } from './scaler.ts'

export const visits: readonly Visit[] = [counter, messageStore, scaler, loadTolerantApi]
