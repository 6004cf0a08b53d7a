import { join } from 'node:path'
import type { ServiceDefinition } from '../service.ts'
import { app } from './app.ts'

export const loadTolerantApi: ServiceDefinition = {
  name: 'load-tolerant-api',
  portOffset: 4,
  storeVariable: 'LOAD_API_STORE',
  processes({ dataDir, port }) {
    const flags = ['--stream', `lmdb:${join(dataDir, 'stream')}`, '--store', `lmdb:${join(dataDir, 'documents')}`]
    return [
      { name: 'consumer', role: 'consumer', args: app('load-tolerant-api', 'consumer', 0, flags) },
      { name: 'load-tolerant-api', role: 'api', main: true, args: app('load-tolerant-api', 'api', port, flags) },
    ]
  },
}
