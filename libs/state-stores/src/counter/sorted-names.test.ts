import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedNames } from './sorted-names.ts'
import { CounterState } from './state.ts'

const name = fc.integer({ min: 0, max: 4_000 }).map((n) => `n/${n}`)

test('whatever comes and goes, names are in order and each is there once', () => {
  const change = fc.record({ isAdded: fc.boolean(), name })
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 3_000, size: 'max' }),
      fc.array(change, { maxLength: 3_000, size: 'max' }),
      fc.constantFrom('', 'n/', 'n/1', 'x'),
      fc.oneof(fc.constant(''), name),
      (first, changes, prefix, after) => {
        const [names, expected] = [new SortedNames(first), new Set(first)]
        for (const change of changes) {
          if (change.isAdded) names.add(change.name)
          else names.delete(change.name)
          if (change.isAdded) expected.add(change.name)
          else expected.delete(change.name)
        }
        const behind = [...expected].toSorted().filter((each) => each > after && each >= prefix)
        expect([...names.from(prefix, after)]).toEqual(behind)
      },
    ),
    { numRuns: 50 },
  )
})

test('chunks split as they fill, and go as they empty', () => {
  const names = new SortedNames([])
  const all = Array.from({ length: 5_000 }, (_, n) => `n/${(n * 7_919) % 5_000}`)
  for (const each of all) names.add(each)
  expect([...names.from('', '')]).toEqual(all.toSorted())
  for (const each of all) names.delete(each)
  expect([...names.from('', '')]).toEqual([])
  names.add('n/again')
  expect([...names.from('', '')]).toEqual(['n/again'])
})

const costMs = (of: () => void): number => {
  const startedMs = performance.now()
  of()
  return performance.now() - startedMs
}

test('a list after a counter has come, gone or expired does not sort all of them again', () => {
  const state = new CounterState()
  state.advance(1)
  for (let n = 0; n < 200_000; n++) {
    state.restoreCounter({ name: `n/${(n * 7_919) % 200_000}`, value: 1n, version: BigInt(n + 1) })
  }
  const list = () => state.scan({ prefix: 'm/', limit: 1 })
  const first = costMs(list)
  const later = costMs(() => {
    for (let n = 1; n <= 100; n++) {
      const name = `m/${n}`
      const merge = (counter: { name: string; value: bigint; version: bigint; expiresAtMs?: number } | undefined) =>
        state.merge({ counters: new Map([[name, counter]]), tokens: new Map(), lastVersion: BigInt(n) })
      merge({ name, value: 1n, version: 1n, expiresAtMs: n * 2_000 + 1 })
      expect(list()).toMatchObject([{ name }])
      if (n % 2 === 0) merge(undefined)
      else state.advance((n + 1) * 2_000)
      expect(list()).toEqual([])
    }
  })
  // Two hundred lists: sorting each time would cost two hundred times the first one.
  expect(later).toBeLessThan(first * 20)
})
