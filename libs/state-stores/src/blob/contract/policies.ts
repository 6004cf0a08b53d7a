import { describe, expect, test } from 'vitest'
import type { BlobOptions, BlobStore, FamilyPolicy } from '../port.ts'
import { bytesOf, expectUsage, name, readAll, type Lacks, type Start } from './harness.ts'

const minuteMs = 60_000

/** A store whose clock goes on by two minutes with every step, so that every read counts as a use. */
async function openWith(start: Start, families: Record<string, FamilyPolicy>, options: BlobOptions = {}) {
  let nowMs = 1_000 * minuteMs
  const { store } = await start({ ...options, families, now: () => nowMs })
  const later = (byMs = 2 * minuteMs): void => void (nowMs += byMs)
  const put = async (namespace: string, key: string, seed: number, length = 1_000): Promise<string> => {
    later()
    return (await store.put({ name: name(key, namespace) }, [bytesOf(seed, length)])).outcome
  }
  const read = async (namespace: string, key: string): Promise<boolean> => {
    later()
    return (await readAll(await store.open(name(key, namespace)))) !== undefined
  }
  return { store, put, read, later }
}

async function keysOf(store: BlobStore, namespace: string): Promise<string> {
  return (await store.scan(namespace, undefined, 100)).entries
    .map(({ key }) => key)
    .toSorted()
    .join('')
}

export function describePolicies(start: Start, lacks: Lacks): void {
  describe('families', () => {
    test.runIf(lacks.has('policies'))('a quota or a time of life is refused, the wish to evict is not', async () => {
      await expect(start({ families: { test: { whenFull: 'keep', quotaBytes: 5 } } })).rejects.toThrow('family')
      await expect(start({ families: { test: { whenFull: 'keep', ttlMs: 5 } } })).rejects.toThrow('family')
      const { store } = await start({ families: { test: { whenFull: 'evict' } } })
      expect((await store.put({ name: name('a') }, [bytesOf(1, 10)])).outcome).toBe('created')
    })

    if (lacks.has('policies')) return

    test('each is counted: its namespaces together, every entry on its own', async () => {
      const { store, put } = await openWith(start, {})
      await put('a', '1', 1)
      await put('a.x', '1', 1)
      await put('a.x.y', '1', 2, 100_000)
      await put('b', '1', 3)
      await put('b', '1', 4, 10)
      expectUsage(store, {
        entries: 4,
        blobs: 3,
        families: { a: { entries: 3, sizeBytes: 102_000 }, b: { entries: 1, sizeBytes: 10 } },
      })
      await store.remove([name('1', 'a'), name('1', 'a.x'), name('1', 'a.x.y')])
      expect(store.usage()?.families).toEqual({ b: { entries: 1, sizeBytes: 10 } })
    })

    test('one that keeps is full at its own quota, and others are not', async () => {
      const { store, put } = await openWith(start, { a: { whenFull: 'keep', quotaBytes: 2_500 } })
      expect(await Promise.all(['1', '2'].map((key) => put('a', key, Number(key))))).toEqual(['created', 'created'])
      expect([await put('a.x', '3', 3), await put('b', '3', 3), await put('a', '1', 1)]).toEqual([
        'full',
        'created',
        'exists',
      ])
      expect(await put('a', '2', 4, 500)).toBe('replaced')
      expect(await put('a.x', '3', 3)).toBe('created')
      expect(await keysOf(store, 'a')).toBe('12')
    })

    test.each([1_000, 100_000])(
      'one that evicts loses what was not used for longest, of %i bytes each',
      async (length) => {
        const { store, put, read } = await openWith(start, { a: { whenFull: 'evict', quotaBytes: 3 * length } })
        for (const key of ['1', '2', '3']) await put('a', key, Number(key), length)
        expect(await read('a', '1')).toBe(true)
        expect(await put('a', '2', 2, length)).toBe('exists')
        expect(await put('a', '4', 4, length)).toBe('created')
        expect(await keysOf(store, 'a')).toBe('124')
        expect(await put('a', '5', 5, 2 * length)).toBe('created')
        expect(await keysOf(store, 'a')).toBe('45')
        expectUsage(store, { entries: 2, blobs: 2, sizeBytes: 3 * length })
        expect(await read('a', '5')).toBe(true)
      },
    )

    test('what can never fit evicts nothing', async () => {
      const { store, put } = await openWith(
        start,
        { a: { whenFull: 'evict', quotaBytes: 3_000 } },
        { quotaBytes: 10_000 },
      )
      await put('a', '1', 1)
      await put('keep', '1', 2, 8_000)
      expect([await put('a', '2', 3, 3_001), await put('a', '2', 3, 2_500), await put('keep', '2', 4, 2_001)]).toEqual([
        'full',
        'full',
        'full',
      ])
      expect(await keysOf(store, 'a')).toBe('1')
    })

    test('when the store is full caches make room for all, and what is kept for nobody', async () => {
      const families = { a: { whenFull: 'evict' }, b: { whenFull: 'evict' } } as const
      const { store, put } = await openWith(start, families, { quotaBytes: 5_000 })
      await put('a', '1', 1)
      await put('b', '2', 2)
      await put('a', '3', 3)
      for (const key of ['4', '5', '6']) expect(await put('keep', key, Number(key))).toBe('created')
      expect([await keysOf(store, 'a'), await keysOf(store, 'b')]).toEqual(['3', '2'])
      expect(await put('a', '7', 7)).toBe('created')
      expect([await keysOf(store, 'a'), await keysOf(store, 'b'), await keysOf(store, 'keep')]).toEqual([
        '37',
        '',
        '456',
      ])
      expect([await put('keep', '8', 8, 2_000), await put('b', '9', 9)]).toEqual(['created', 'full'])
      expect(await keysOf(store, 'keep')).toBe('4568')
    })

    test('bytes that are being put are not evicted under another name', async () => {
      const { store, put, read } = await openWith(start, { a: { whenFull: 'evict', quotaBytes: 250_000 } })
      for (const key of ['1', '2']) await put('a', key, Number(key), 100_000)
      expect(await put('a', '3', 1, 100_000)).toBe('created')
      expect(await keysOf(store, 'a')).toBe('13')
      expect([await read('a', '1'), await read('a', '3')]).toEqual([true, true])
    })

    test.each([1_000, 100_000])('%i bytes are gone when their time is over, and make room', async (length) => {
      const families = { a: { whenFull: 'keep', ttlMs: 60 * minuteMs, quotaBytes: length } } as const
      const { store, put, read, later } = await openWith(start, families)
      await put('a', '1', 1, length)
      later(50 * minuteMs)
      expect([await read('a', '1'), await put('a', '2', 2, length)]).toEqual([true, 'full'])
      later(10 * minuteMs)
      expect([await read('a', '1'), await keysOf(store, 'a')]).toEqual([false, ''])
      expect(await store.stat([name('1', 'a')])).toEqual([undefined])
      expect(await put('a', '2', 2, length)).toBe('created')
      expectUsage(store, { entries: 1, blobs: 1, sizeBytes: length })
      later(50 * minuteMs)
      expect(await put('a', '2', 2, length)).toBe('exists')
      later(50 * minuteMs)
      expect(await read('a', '2')).toBe(true)
      later(50 * minuteMs)
      expect(await store.remove([name('2', 'a')])).toEqual(['missing'])
      expect(await put('a', '2', 2, length)).toBe('created')
    })

    test('in a cache a read prolongs it', async () => {
      const { put, read, later } = await openWith(start, { a: { whenFull: 'evict', ttlMs: 60 * minuteMs } })
      await put('a', '1', 1)
      await put('b', '1', 1)
      for (let times = 0; times < 3; times++) {
        later(50 * minuteMs)
        expect(await read('a', '1')).toBe(true)
        await put('b', '1', 1)
      }
      later(70 * minuteMs)
      expect(await read('a', '1')).toBe(false)
    })
  })
}
