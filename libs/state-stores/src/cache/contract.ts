import { describe, expect, test } from 'vitest'
import type { CacheEntry, CacheStore } from './port.ts'

/** The rules of `CacheStore`, for any backend. `now` is the clock the backend shall use. */
export function describeCacheContract(name: string, open: (now: () => number) => Promise<CacheStore>): void {
  const clock = { nowMs: 1_800_000_000_000 }
  const entry = (value: string | undefined, freshMs = 100, staleMs = 200): CacheEntry => ({
    value,
    freshUntilMs: clock.nowMs + freshMs,
    staleUntilMs: clock.nowMs + staleMs,
  })

  describe(`cache: ${name}`, () => {
    test('returns what was set last, the known absence of a value included', async () => {
      await using cache = await open(() => clock.nowMs)
      await cache.set('a', entry('1'))
      await cache.set('a', entry('2'))
      await cache.set('b', entry(undefined))
      expect(await cache.get('a')).toEqual(entry('2'))
      expect(await cache.get('b')).toEqual(entry(undefined))
      expect(await cache.get('c')).toBeUndefined()
    })

    test('an entry is there while it is stale and gone afterwards', async () => {
      await using cache = await open(() => clock.nowMs)
      await cache.set('a', entry('1', 10, 20))
      clock.nowMs += 19
      expect(await cache.get('a')).toMatchObject({ value: '1' })
      clock.nowMs += 1
      expect(await cache.get('a')).toBeUndefined()
    })

    test('clear forgets everything and says how much that was', async () => {
      await using cache = await open(() => clock.nowMs)
      await cache.set('a', entry('1'))
      await cache.set('b', entry('2'))
      expect(await cache.size()).toBe(2)
      expect(await cache.clear()).toBe(2)
      expect(await cache.get('a')).toBeUndefined()
      expect(await cache.size()).toBe(0)
    })
  })
}
