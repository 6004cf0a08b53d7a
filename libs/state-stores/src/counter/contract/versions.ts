import { describe, expect, onTestFinished, test } from 'vitest'
import type { Start } from './harness.ts'
import { add, one, remove, set, versionOf } from './operations.ts'

export function describeVersions(start: Start): void {
  describe('versions', () => {
    test('a condition on the version', async () => {
      const { store } = await start()
      await expect(one(store, add('n/a', 1n, { ifVersion: 'any' }))).resolves.toMatchObject({
        ok: false,
        reason: 'version',
      })
      await expect(one(store, set('n/a', 1n, { ifVersion: 0n }))).resolves.toMatchObject({ ok: true })
      await expect(one(store, set('n/a', 2n, { ifVersion: 0n }))).resolves.toMatchObject({
        ok: false,
        reason: 'version',
        current: { value: 1n },
      })
      const version = await versionOf(store, 'n/a')
      await expect(one(store, add('n/a', 1n, { ifVersion: version + 1n }))).resolves.toMatchObject({ ok: false })
      await expect(one(store, add('n/a', 1n, { ifVersion: version }))).resolves.toMatchObject({ ok: true, value: 2n })
      await expect(one(store, remove('n/a', { ifVersion: version }))).resolves.toMatchObject({
        ok: false,
        reason: 'version',
      })
      await expect(one(store, remove('n/a', { ifVersion: 'any' }))).resolves.toMatchObject({ ok: true })
    })

    test('go on above those of another store, when a set says so', async () => {
      const { store, reopen } = await start()
      await one(store, set('n/a', 1n))
      const aboveVersion = 2_000_000_000_000_000_000n
      const outcomes = await store.commit([
        set('n/b', 2n),
        set('n/a', 3n, { aboveVersion }),
        set('n/a', 4n, { aboveVersion: 5n }),
      ])
      expect(outcomes.map((outcome) => outcome.ok && outcome.version > aboveVersion)).toEqual([false, true, true])
      await one(store, remove('n/a'))
      const before = await one(store, add('n/a', 1n))
      const reopened = (await reopen?.()) ?? store
      onTestFinished(() => reopened.close())
      const after = await one(reopened, add('n/a', 1n))
      expect(before.ok && after.ok && before.version > aboveVersion + 2n && after.version > before.version).toBe(true)
      await expect(store.commit([set('n/a', 1n, { aboveVersion: -1n })])).rejects.toThrow(RangeError)
    })

    test('never come back, not after removal and not after expiry', async () => {
      const { store, pass, nowMs } = await start()
      const seen: bigint[] = []
      for (let round = 0; round < 3; round++) {
        await one(store, set('n/a', 1n, { expiresAtMs: nowMs() + 50 }))
        seen.push(await versionOf(store, 'n/a'))
        if (round === 0) await one(store, remove('n/a'))
        else await pass(60)
        await expect(store.read(['n/a'])).resolves.toEqual([undefined])
      }
      expect(new Set(seen).size).toBe(3)
      expect(seen).toEqual(seen.toSorted((a, b) => Number(a - b)))
    })
  })

  describe('expiry', () => {
    test('an expired counter is absent, and counts from 0 again without an expiry', async () => {
      const { store, pass, nowMs } = await start()
      await one(store, add('n/a', 7n, { expiresAtMs: nowMs() + 300 }))
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 7n }])
      await pass(350)
      await expect(store.read(['n/a'])).resolves.toEqual([undefined])
      await expect(store.scan({ limit: 10 })).resolves.toEqual([])
      const outcome = await one(store, add('n/a', 1n, { ifVersion: 0n }))
      expect(outcome).toMatchObject({ value: 1n, previous: 0n })
      expect(outcome).not.toHaveProperty('expiresAtMs')
    })

    test('is kept, replaced or taken away as the operation says', async () => {
      const { store, nowMs } = await start()
      const [soon, later] = [nowMs() + 60_000, nowMs() + 120_000]
      await expect(one(store, set('n/a', 1n, { expiresAtMs: soon }))).resolves.toMatchObject({ expiresAtMs: soon })
      await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ expiresAtMs: soon })
      await expect(one(store, add('n/a', 1n, { expiresAtMs: later }))).resolves.toMatchObject({ expiresAtMs: later })
      await expect(one(store, set('n/a', 1n, { expiresAtMs: null }))).resolves.not.toHaveProperty('expiresAtMs')
      expect((await store.read(['n/a']))[0]).not.toHaveProperty('expiresAtMs')
    })
  })
}
