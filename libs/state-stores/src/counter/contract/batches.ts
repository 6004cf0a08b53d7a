import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { CounterCapabilities } from '../port.ts'
import type { Start } from './harness.ts'
import { add, one, remove } from './operations.ts'

export function describeBatches(start: Start, expected: CounterCapabilities): void {
  describe('batches', () => {
    test('the same name several times: each operation sees the ones before it', async () => {
      const { store } = await start()
      const outcomes = await store.commit([
        add('n/a', 1n),
        add('n/b', 10n),
        add('n/a', 1n),
        remove('n/a'),
        add('n/a', 1n),
      ])
      expect(outcomes).toMatchObject([
        { value: 1n },
        { value: 10n },
        { value: 2n, previous: 1n },
        { value: 0n, previous: 2n },
        { value: 1n, previous: 0n },
      ])
      await expect(store.read(['n/a', 'n/b'])).resolves.toMatchObject([{ value: 1n }, { value: 10n }])
    })

    test('a refused operation never fails its neighbours', async () => {
      const { store } = await start()
      const outcomes = await store.commit([
        add('n/a', 1n),
        add('n/a', 1n, { max: 1n }),
        remove('n/none'),
        add('n/a', 1n),
      ])
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, false, true])
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 2n }])
    })

    test('an empty batch has no outcomes', async () => {
      const { store } = await start()
      await expect(store.commit([])).resolves.toEqual([])
    })

    test('many callers at once: every one has his own value, none is lost', async () => {
      const { store } = await start()
      const outcomes = await Promise.all(Array.from({ length: 200 }, () => one(store, add('n/a', 1n))))
      const values = outcomes.map((outcome) => (outcome.ok ? Number(outcome.value) : -1)).toSorted((a, b) => a - b)
      expect(values).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    })

    test.runIf(expected.atomicity === 'batch')('readers never see half a batch', async () => {
      const { store } = await start()
      const writes = (async () => {
        for (let i = 0; i < 20; i++) await store.commit([add('n/a', 1n), add('n/b', 1n)])
        return 'done'
      })()
      while ((await Promise.race([writes, setImmediate('writing')])) !== 'done') {
        const [a, b] = await store.read(['n/a', 'n/b'])
        expect(a?.value).toBe(b?.value)
      }
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 20n }])
    })
  })

  describe('scan', () => {
    test('pages through names in order, within a prefix', async () => {
      const { store } = await start()
      await store.commit(['b/2', 'a/9', 'b/10', 'b/1', 'b/Z', 'ba/1', 'b/gone'].map((name) => add(name, 1n)))
      await one(store, remove('b/gone'))
      const names = async (after: string | undefined, limit: number): Promise<string[]> =>
        (await store.scan({ prefix: 'b/', limit, ...(after !== undefined && { after }) })).map(({ name }) => name)
      await expect(names(undefined, 3)).resolves.toEqual(['b/1', 'b/10', 'b/2'])
      await expect(names('b/2', 3)).resolves.toEqual(['b/Z'])
      await expect(names('b/Z', 3)).resolves.toEqual([])
      expect((await store.scan({ limit: 100 })).map(({ name }) => name)).toEqual([
        'a/9',
        'b/1',
        'b/10',
        'b/2',
        'b/Z',
        'ba/1',
      ])
    })
  })
}
