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

test("the seed system's Redis and MongoDB become the queue and the store", () => {
  const seed = { MONGO_URI: 'mongodb://mongo:27017/assessmentdb', REDIS_HOST: 'redis', REDIS_PORT: '6380' }
  expect(fromSeedEnvironment(seed)).toEqual({
    LOAD_TOLERANT_API_DOCUMENTS: 'mongodb://mongo:27017/assessmentdb',
    LOAD_TOLERANT_API_STREAM: 'redis://redis:6380',
  })
  // Kubernetes injects REDIS_PORT=tcp://... for a Service named redis.
  expect(fromSeedEnvironment({ REDIS_HOST: 'redis', REDIS_PORT: 'tcp://10.0.0.1:6379' })).toEqual({
    LOAD_TOLERANT_API_STREAM: 'redis://redis:6379',
  })
  expect(
    fromSeedEnvironment({ ...seed, LOAD_TOLERANT_API_STREAM: 'memory:', LOAD_TOLERANT_API_DOCUMENTS: 'memory:' }),
  ).toEqual({})
})

test.each([
  [{ CACHE_TTL: 'soon' }, 'CACHE_TTL must be seconds above 0, as in 1.5, not "soon"'],
  [{ CACHE_TTL: '0' }, 'CACHE_TTL must be seconds above 0, as in 1.5, not "0"'],
  [{ FLUSH_INTERVAL: '-1' }, 'FLUSH_INTERVAL must be seconds from 0 on, as in 1.5, not "-1"'],
  [{ FLUSH_INTERVAL: '1e99' }, 'FLUSH_INTERVAL must be seconds from 0 on, as in 1.5, not "1e99"'],
  [{ APP_PORT: '99999' }, 'APP_PORT must be a port from 0 to 65535, not "99999"'],
  [{ REDIS_HOST: 'redis', REDIS_PORT: 'six' }, 'REDIS_PORT must be a port from 0 to 65535, not "six"'],
  [{ REDIS_HOST: 'redis://redis' }, 'REDIS_HOST must be the name or address of a host, not "redis://redis"'],
])('%j is refused in the name and unit that were written', (env, sentence) => {
  expect(() => fromSeedEnvironment(env)).toThrow(sentence)
})

test('what is overridden by ours is not looked at; an address of IPv6 is one', () => {
  expect(fromSeedEnvironment({ CACHE_TTL: 'soon', LOAD_TOLERANT_API_CACHE_TTL_MS: '1' })).toEqual({})
  expect(fromSeedEnvironment({ REDIS_HOST: '::1' })).toEqual({ LOAD_TOLERANT_API_STREAM: 'redis://[::1]:6379' })
})
