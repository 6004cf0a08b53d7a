import { join } from 'node:path'
import type { ServiceDefinition } from '../service.ts'
import { app } from './app.ts'

export const counter: ServiceDefinition = {
  name: 'counter',
  portOffset: 1,
  storeVariables: ['COUNTER_STORE'],
  processes({ dataDir, port, env }) {
    // A URL of the environment stays there: it may hold a password, and arguments are for all to see.
    const flags = env['COUNTER_STORE'] === undefined ? ['--store', `file:${join(dataDir, 'counter.json')}`] : []
    return [{ name: 'counter', role: 'serve', main: true, args: app('counter', 'serve', port, flags) }]
  },
}
