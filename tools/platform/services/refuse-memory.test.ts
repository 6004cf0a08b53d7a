import { expect, test } from 'vitest'
import { StartError } from '../start-error.ts'
import { allServices as services } from './index.ts'

const context = (env: Record<string, string>) => ({
  env,
  dataDir: '/nonexistent',
  port: 0,
  replicas: 1,
  report: () => {},
})

test.each([
  ['scaler', 'SCALER_STORE'],
  ['load-tolerant-api', 'LOAD_TOLERANT_API_STREAM'],
  ['load-tolerant-api', 'LOAD_TOLERANT_API_DOCUMENTS'],
])('%s has several processes, so %s=memory: is refused before one starts', async (name, variable) => {
  const service = services.find((each) => each.name === name)
  const opened = Promise.resolve().then(() => service?.openStores?.(context({ [variable]: 'memory:' })))
  await expect(opened).rejects.toThrow(StartError)
  await expect(opened).rejects.toThrow(`${variable}=memory: is a store of one process`)
})
