import { describe, expect, test } from 'vitest'
import type { CounterCapabilities, CounterOp } from '../port.ts'
import type { Start } from './harness.ts'
import { add, one, token } from './operations.ts'

const addOnce = (key: string): CounterOp => add('n/a', 1n, { token: token(key) })

/** The operations of one request of several. */
const request = (names: readonly string[], fingerprint: string): CounterOp[] =>
  names.map((name, index) => add(name, 1n, { token: token(`k/${index}`, fingerprint) }))

export function describeTokens(start: Start, expected: CounterCapabilities): void {
  describe('idempotency tokens', () => {
    test('the same token with the same fingerprint is answered again and applied once', async () => {
      const { store } = await start()
      const op = add('n/a', 1n, { token: token('k') })
      const first = await one(store, op)
      await one(store, add('n/a', 1n))
      await expect(one(store, op)).resolves.toEqual({ ...first, replayed: true })
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 2n }])
    })

    test('within one batch as well', async () => {
      const { store } = await start()
      const op = add('n/a', 1n, { token: token('k') })
      await expect(store.commit([op, op])).resolves.toMatchObject([
        { value: 1n, replayed: false },
        { value: 1n, replayed: true },
      ])
    })

    test('a refusal is answered again, even when the operation would succeed now', async () => {
      const { store } = await start()
      const op = add('n/a', 5n, { max: 3n, token: token('k') })
      const refused = await one(store, op)
      expect(refused).toMatchObject({ ok: false, reason: 'bound' })
      await one(store, add('n/a', -9n))
      await expect(one(store, op)).resolves.toEqual({ ...refused, replayed: true })
    })

    test('another fingerprint is refused, another scope is another token', async () => {
      const { store } = await start()
      await one(store, add('n/a', 1n, { token: token('k') }))
      await expect(one(store, add('n/a', 1n, { token: token('k', 'other') }))).resolves.toEqual({
        ok: false,
        reason: 'token-mismatch',
        replayed: false,
      })
      await expect(
        one(store, add('n/a', 1n, { token: { ...token('k', 'other'), scope: 's2' } })),
      ).resolves.toMatchObject({ value: 2n })
      const [joined, split] = await store.commit([
        add('n/a', 1n, { token: { scope: 'ab', key: 'c', fingerprint: 'f' } }),
        add('n/a', 1n, { token: { scope: 'a', key: 'bc', fingerprint: 'f' } }),
      ])
      expect([joined?.replayed, split?.replayed]).toEqual([false, false])
    })

    test.runIf(expected.atomicity === 'batch')(
      'another request under the same keys is refused whole, not applied from where its keys are new',
      async () => {
        const { store } = await start()
        await store.commit(request(['n/a', 'n/b'], 'first'))
        const bystander = add('n/c', 1n, { token: token('other', 'third') })
        const outcomes = await store.commit([...request(['n/a', 'n/b', 'n/c'], 'second'), bystander])
        const refused = { ok: false, reason: 'token-mismatch', replayed: false }
        expect(outcomes).toMatchObject([refused, refused, refused, { ok: true, value: 1n }])
      },
    )

    test('is forgotten after its window, not before', async () => {
      const { store, pass } = await start({ tokenWindowMs: 400 })
      const op = add('n/a', 1n, { token: token('k') })
      await one(store, op)
      await pass(200)
      await expect(one(store, op)).resolves.toMatchObject({ replayed: true })
      await pass(250)
      await expect(one(store, op)).resolves.toMatchObject({ value: 2n, replayed: false })
      await expect(one(store, op)).resolves.toMatchObject({ value: 2n, replayed: true })
    })

    test('when the window is full, new ones are refused and none is forgotten; room comes back with time', async () => {
      const { store, pass } = await start({ maxTokens: 2, tokenWindowMs: 400 })
      await store.commit([addOnce('1'), addOnce('2')])
      await expect(one(store, addOnce('3'))).resolves.toEqual({
        ok: false,
        reason: 'token-window-full',
        replayed: false,
      })
      await expect(one(store, addOnce('1'))).resolves.toMatchObject({ value: 1n, replayed: true })
      await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 3n })
      await pass(450)
      await expect(store.commit([addOnce('3'), addOnce('4'), addOnce('5')])).resolves.toMatchObject([
        { value: 4n },
        { value: 5n },
        { reason: 'token-window-full' },
      ])
    })
  })
}
