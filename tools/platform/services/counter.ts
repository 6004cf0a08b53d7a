import { join } from 'node:path'
import type { ServiceDefinition } from '../service.ts'
import { app } from './app.ts'

export const counter: ServiceDefinition = {
  name: 'counter',
  portOffset: 1,
  storeVariables: ['COUNTER_STORE'],
  processes({ dataDir, port, env }) {
    const store = env['COUNTER_STORE'] ?? `file:${join(dataDir, 'counter.json')}`
    return [{ name: 'counter', role: 'serve', main: true, args: app('counter', 'serve', port, ['--store', store]) }]
  },
}
