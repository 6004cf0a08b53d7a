import type { Chapter } from '../chapter.ts'
import { counter } from './counter.ts'
import { loadTolerantApi } from './load-tolerant-api.ts'
import { messageStore } from './message-store.ts'
import { scaler } from './scaler.ts'

export const chapters: readonly Chapter[] = [counter, messageStore, scaler, loadTolerantApi]
