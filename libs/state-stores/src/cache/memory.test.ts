import { expect, test } from 'vitest'
import { describeCacheContract } from './contract.ts'
import { memoryCache } from './memory.ts'

describeCacheContract('memory', async (now) => memoryCache({ now }))

test('beyond its size the least recently used entry goes', async () => {
  await using cache = memoryCache({ maxEntries: 2, now: () => 0 })
  const entry = { value: 'x', freshUntilMs: 1, staleUntilMs: 1 }
  await cache.set('a', entry)
  await cache.set('b', entry)
  await cache.get('a')
  await cache.set('c', entry)
  expect(await cache.get('b')).toBeUndefined()
  expect(await cache.get('a')).toEqual(entry)
})

test('what was read last stays, whichever was the newest before', async () => {
  await using cache = memoryCache({ maxEntries: 2, now: () => 0 })
  const entry = { value: 'x', freshUntilMs: 1, staleUntilMs: 1 }
  await cache.set('a', entry)
  await cache.set('b', entry)
  await cache.get('a')
  await cache.get('b')
  await cache.set('c', entry)
  expect(await cache.get('a')).toBeUndefined()
  expect(await cache.get('b')).toEqual(entry)
})

test('what was written last is the newest', async () => {
  await using cache = memoryCache({ maxEntries: 2, now: () => 0 })
  const entry = { value: 'x', freshUntilMs: 1, staleUntilMs: 1 }
  await cache.set('a', entry)
  await cache.get('a')
  await cache.set('b', entry)
  await cache.get('a')
  await cache.set('c', entry)
  expect(await cache.get('b')).toBeUndefined()
  expect(await cache.get('a')).toEqual(entry)
})
