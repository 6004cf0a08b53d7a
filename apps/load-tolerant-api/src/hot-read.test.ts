import { openCache } from '@ballast/state-stores/cache'
import { openDocumentStore } from '@ballast/state-stores/document'
import { expect, test } from 'vitest'
import { HotRead } from './hot-read.ts'

test('five reads of a request are one look at the cache, and follow what it holds', async () => {
  await using documents = await openDocumentStore('memory:')
  const inner = await openCache('memory:')
  let looks = 0
  const cache: typeof inner = { ...inner, get: (key) => (looks++, inner.get(key)) }
  const hotRead = new HotRead({ cache, documents, ttlMs: 60_000, staleMs: 60_000 })
  const fresh = { freshUntilMs: Infinity, staleUntilMs: Infinity }
  const id = '650000000102030405000001'

  await cache.set('first:write', { value: undefined, ...fresh })
  expect(await hotRead.asJson()).toBe('[null,null,null,null,null]')
  await cache.set('first:write', { value: id, ...fresh })
  expect(JSON.parse(await hotRead.asJson())).toEqual([id, id, id, id, id])
  expect(looks).toBe(2)
  expect(hotRead.counts.hits).toBe(10)
})
