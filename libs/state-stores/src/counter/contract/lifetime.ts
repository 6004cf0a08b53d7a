import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError } from '../../outcome.ts'
import type { CounterCapabilities } from '../port.ts'
import type { Start } from './harness.ts'
import { add, one, remove, token } from './operations.ts'

export function describeLifetime(start: Start, expected: CounterCapabilities): void {
  test.runIf(expected.durable)(
    'everything survives: values, versions, expiries, tokens, and the highest version',
    async () => {
      const harness = await start()
      const expiresAtMs = harness.nowMs() + 60_000
      const op = add('n/a', 1n, { token: token('k'), expiresAtMs })
      const first = await one(harness.store, op)
      const refused = await one(harness.store, remove('n/none', { token: token('r') }))
      const removed = await one(harness.store, add('n/b', 1n))
      await one(harness.store, remove('n/b'))
      const before = await harness.store.read(['n/a', 'n/b'])
      const store = await harness.reopen?.()
      if (store === undefined) throw new Error('a durable store must be reopened by its harness')
      onTestFinished(() => store.close())
      await expect(store.read(['n/a', 'n/b'])).resolves.toEqual(before)
      await expect(one(store, op)).resolves.toEqual({ ...first, replayed: true })
      await expect(one(store, remove('n/none', { token: token('r') }))).resolves.toEqual({
        ...refused,
        replayed: true,
      })
      const again = await one(store, add('n/b', 1n))
      expect(again.ok && removed.ok && again.version > removed.version + 1n).toBe(true)
    },
  )

  test('after close, writes are refused as not applied; closing twice is harmless', async () => {
    const { store } = await start()
    const accepted = one(store, add('n/a', 1n))
    const closed = store.close()
    await expect(accepted).resolves.toMatchObject({ value: 1n })
    await closed
    await expect(one(store, add('n/a', 1n))).rejects.toThrow(NotAppliedError)
    await expect(store.check()).rejects.toThrow('clos')
    await store.close()
  })
}
