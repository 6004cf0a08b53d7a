import { describe, expect, test } from 'vitest'
import { largestValue, smallestValue } from '../port.ts'
import type { Start } from './harness.ts'
import { add, one, remove, set } from './operations.ts'

export function describeArithmetic(start: Start): void {
  describe('arithmetic', () => {
    test('an absent counter counts from 0, in both directions', async () => {
      const { store } = await start()
      await expect(store.read(['n/a'])).resolves.toEqual([undefined])
      await expect(one(store, add('n/a', 5n))).resolves.toMatchObject({
        ok: true,
        value: 5n,
        previous: 0n,
        replayed: false,
      })
      await expect(one(store, add('n/a', -7n))).resolves.toMatchObject({ ok: true, value: -2n, previous: 5n })
      await expect(store.read(['n/a', 'n/b'])).resolves.toMatchObject([{ name: 'n/a', value: -2n }, undefined])
    })

    test('set and remove', async () => {
      const { store } = await start()
      await expect(one(store, set('n/a', 9n))).resolves.toMatchObject({ value: 9n, previous: 0n })
      await expect(one(store, set('n/a', 4n))).resolves.toMatchObject({ value: 4n, previous: 9n })
      await expect(one(store, remove('n/a'))).resolves.toMatchObject({ ok: true, value: 0n, previous: 4n })
      await expect(store.read(['n/a'])).resolves.toEqual([undefined])
      await expect(one(store, remove('n/a'))).resolves.toEqual({ ok: false, reason: 'not-found', replayed: false })
    })

    test('64 bits exactly, where a double would round', async () => {
      const { store } = await start()
      await one(store, set('n/a', largestValue - 1n))
      await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: largestValue })
      await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({
        ok: false,
        reason: 'overflow',
        current: { value: largestValue },
      })
      await one(store, set('n/a', smallestValue))
      await expect(one(store, add('n/a', -1n))).resolves.toMatchObject({ ok: false, reason: 'overflow' })
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: smallestValue }])
    })

    test('an operation that makes no sense rejects the call and applies nothing', async () => {
      const { store } = await start()
      for (const wrong of [
        add('nonamespace', 1n),
        add('n/a b', 1n),
        add('n/a', largestValue + 1n),
        set('n/a', 1n, { expiresAtMs: 0.5 }),
      ]) {
        await expect(store.commit([add('n/good', 1n), wrong])).rejects.toThrow(RangeError)
      }
      await expect(store.read(['n/good'])).resolves.toEqual([undefined])
    })
  })

  describe('bounds', () => {
    test('an addition that would cross one is refused whole', async () => {
      const { store } = await start()
      await one(store, set('n/a', 8n))
      await expect(one(store, add('n/a', 3n, { max: 10n }))).resolves.toMatchObject({
        ok: false,
        reason: 'bound',
        current: { value: 8n },
      })
      await expect(one(store, add('n/a', 2n, { max: 10n }))).resolves.toMatchObject({ value: 10n })
      await expect(one(store, add('n/a', -11n, { min: 0n }))).resolves.toMatchObject({ ok: false, reason: 'bound' })
      await expect(one(store, add('n/a', -10n, { min: 0n }))).resolves.toMatchObject({ value: 0n })
    })

    test('or, saturating, applied as far as the bound', async () => {
      const { store } = await start()
      const onBound = 'saturate'
      await expect(one(store, add('n/a', 15n, { max: 10n, onBound }))).resolves.toMatchObject({
        value: 10n,
        previous: 0n,
      })
      await expect(one(store, add('n/a', -15n, { min: -3n, onBound }))).resolves.toMatchObject({
        value: -3n,
        previous: 10n,
      })
      await expect(one(store, add('n/a', largestValue, { max: largestValue, onBound }))).resolves.toMatchObject({
        value: largestValue - 3n,
      })
      await expect(one(store, add('n/a', 9n, { max: largestValue, onBound }))).resolves.toMatchObject({
        value: largestValue,
      })
    })

    test('a value beyond a bound may come back, and saturation never moves it by itself', async () => {
      const { store } = await start()
      await one(store, set('n/a', 20n))
      await expect(one(store, add('n/a', -1n, { max: 10n, min: 0n }))).resolves.toMatchObject({ value: 19n })
      await expect(one(store, add('n/a', 1n, { max: 10n, onBound: 'saturate' }))).resolves.toMatchObject({
        value: 19n,
      })
      await expect(one(store, add('n/a', 0n, { max: 10n }))).resolves.toMatchObject({ value: 19n })
    })
  })
}
