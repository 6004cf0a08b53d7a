import { expect, test } from 'vitest'
import { fromSeedEnvironment } from './seed-environment.ts'

test('translates units and names of the seed system', () => {
  expect(fromSeedEnvironment({ APP_PORT: '3000', CACHE_TTL: '60', FLUSH_INTERVAL: '0.5' })).toEqual({
    LOAD_TOLERANT_API_LISTEN: '127.0.0.1:3000',
    LOAD_TOLERANT_API_CACHE_TTL_MS: '60000',
    LOAD_TOLERANT_API_BATCH_DELAY_MS: '500',
  })
})

test('ours win, and service links are no settings', () => {
  expect(
    fromSeedEnvironment({
      APP_PORT: 'tcp://10.0.0.1:80',
      CACHE_TTL: '60',
      LOAD_TOLERANT_API_CACHE_TTL_MS: '1',
      FLUSH_INTERVAL: '',
    }),
  ).toEqual({})
})

test('nonsense is passed on to be refused', () => {
  expect(fromSeedEnvironment({ CACHE_TTL: 'soon' })).toEqual({ LOAD_TOLERANT_API_CACHE_TTL_MS: 'soon' })
})
