import type { ServiceDefinition } from '../service.ts'
import { app } from './app.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export const messageStore = messageStoreService()

export function messageStoreService(tls?: TlsFiles): ServiceDefinition {
  return {
    name: 'message-store',
    portOffset: 2,
    storeVariables: ['MESSAGE_STORE_STORE'],
    processes({ dataDir, port, env }) {
      // A URL of the environment stays there: it may hold a password, and arguments are for all to see.
      const storeFlags = env['MESSAGE_STORE_STORE'] === undefined ? ['--store', `lmdb:${dataDir}`] : []
      const tlsFlags = tls === undefined ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]
      const args = app('message-store', 'serve', port, [...storeFlags, ...tlsFlags])
      return [{ name: 'message-store', role: 'serve', main: true, args }]
    },
  }
}
