import type { ServiceDefinition } from '../service.ts'
import { app } from './app.ts'

export const messageStore: ServiceDefinition = {
  name: 'message-store',
  portOffset: 2,
  storeVariable: 'MESSAGE_STORE_STORE',
  processes({ dataDir, port, env }) {
    const store = env['MESSAGE_STORE_STORE'] ?? `lmdb:${dataDir}`
    const args = app('message-store', 'serve', port, ['--store', store])
    return [{ name: 'message-store', role: 'serve', main: true, args }]
  },
}
