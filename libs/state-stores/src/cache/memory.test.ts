import { expect, test } from 'vitest'
import { describeCacheContract } from './contract.ts'
import { memoryCache } from './memory.ts'

describeCacheContract('memory', async (now) => memoryCache({ now }))

test.each([
  { steps: ['set a', 'set b', 'get a', 'set c'], gone: 'b', kept: 'a' },
  { steps: ['set a', 'set b', 'get a', 'get b', 'set c'], gone: 'a', kept: 'b' },
  { steps: ['set a', 'get a', 'set b', 'get a', 'set c'], gone: 'b', kept: 'a' },
])('beyond its size of two the least recently used entry goes: $steps', async ({ steps, gone, kept }) => {
  await using cache = memoryCache({ maxEntries: 2, now: () => 0 })
  const entry = { value: 'x', freshUntilMs: 1, staleUntilMs: 1 }
  for (const step of steps) {
    const [verb, key = ''] = step.split(' ')
    await (verb === 'set' ? cache.set(key, entry) : cache.get(key))
  }
  expect(await cache.get(gone)).toBeUndefined()
  expect(await cache.get(kept)).toEqual(entry)
})
