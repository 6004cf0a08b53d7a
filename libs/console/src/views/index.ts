import { consumerView } from './consumer.ts'
import { counterView } from './counter.ts'
import { loadTolerantApiView } from './load-tolerant-api.ts'
import { messageStoreView } from './message-store.ts'
import { scalerView } from './scaler.ts'
import type { View } from './view.ts'
import { workerView } from './worker.ts'

export const views: Readonly<Record<string, View>> = {
  counter: counterView,
  'message-store': messageStoreView,
  scaler: scalerView,
  'load-tolerant-api': loadTolerantApiView,
  consumer: consumerView,
  worker: workerView,
}
