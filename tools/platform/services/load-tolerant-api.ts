import { join } from 'node:path'
import type { ServiceContext, ServiceDefinition } from '../service.ts'
import { app } from './app.ts'
import { refuseMemory } from './refuse-memory.ts'

const storeVariables = ['LOAD_TOLERANT_API_STREAM', 'LOAD_TOLERANT_API_DOCUMENTS']

export const loadTolerantApi: ServiceDefinition = {
  name: 'load-tolerant-api',
  portOffset: 4,
  storeVariables,

  openStores({ env }) {
    refuseMemory(storeVariables, env)
    return Promise.resolve({ env: {}, close: () => Promise.resolve() })
  },

  processes(context) {
    const stores = loadTolerantApiStores(context)
    // A URL of the environment stays there: it may hold a password, and arguments are for all to see.
    const flags = [
      ...(context.env['LOAD_TOLERANT_API_STREAM'] === undefined ? ['--stream', stores.stream] : []),
      ...(context.env['LOAD_TOLERANT_API_DOCUMENTS'] === undefined ? ['--documents', stores.documents] : []),
    ]
    return [
      { name: 'consumer', role: 'consumer', args: app('load-tolerant-api', 'consumer', 0, flags) },
      {
        name: 'load-tolerant-api',
        role: 'api',
        main: true,
        args: app('load-tolerant-api', 'api', context.port, flags),
      },
    ]
  },
}

export function loadTolerantApiStores({ dataDir, env }: Pick<ServiceContext, 'dataDir' | 'env'>): {
  readonly stream: string
  readonly documents: string
} {
  return {
    stream: env['LOAD_TOLERANT_API_STREAM'] ?? `lmdb:${join(dataDir, 'stream')}`,
    documents: env['LOAD_TOLERANT_API_DOCUMENTS'] ?? `lmdb:${join(dataDir, 'documents')}`,
  }
}
