import { join } from 'node:path'
import type { ProcessSpec, ServiceContext, ServiceDefinition } from '../service.ts'
import { app } from './app.ts'
import { keepPostgres } from './keep-postgres.ts'
import { refuseMemory } from './refuse-memory.ts'

export const scaler: ServiceDefinition = {
  name: 'scaler',
  portOffset: 3,
  storeVariables: ['SCALER_STORE'],

  async openStores({ dataDir, env, report }) {
    refuseMemory(['SCALER_STORE'], env)
    if (env['SCALER_STORE'] !== undefined) return { env: {}, close: async () => {} }
    const postgres = await keepPostgres(join(dataDir, 'postgres'), report)
    return { env: { SCALER_STORE: postgres.url }, servers: [postgres], close: () => postgres.stop() }
  },

  processes(context) {
    const args = app('scaler', 'control-plane', context.port)
    const workers = Array.from({ length: context.replicas }, (_, ordinal) => worker(context, ordinal))
    return [{ name: 'scaler', role: 'control-plane', main: true, args }, ...workers]
  },

  replica: worker,
}

function worker(_context: ServiceContext, ordinal: number): ProcessSpec {
  const name = `worker-${ordinal}`
  return { name, role: 'worker', args: app('scaler', 'worker', 0, ['--name', name]) }
}
