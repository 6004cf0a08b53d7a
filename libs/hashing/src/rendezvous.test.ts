import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rendezvous } from './rendezvous.ts'

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 12 })
const members = (of: readonly string[], weight = 1) => of.map((name) => ({ name, weight }))

test('the owner does not depend on the order of the members', () => {
  fc.assert(
    fc.property(names, fc.string(), (of, key) => {
      expect(rendezvous(key, members(of))).toEqual(rendezvous(key, members(of.toReversed())))
    }),
  )
})

test('a member that leaves moves only its own keys', () => {
  fc.assert(
    fc.property(names, fc.array(fc.string(), { maxLength: 50 }), (of, keys) => {
      const [leaver = ''] = of
      for (const key of keys) {
        const before = rendezvous(key, members(of))
        const after = rendezvous(key, members(of.slice(1)))
        expect(before?.name === leaver || after?.name === before?.name).toBe(true)
      }
    }),
  )
})

test('shares follow the weights', () => {
  const of = [
    { name: 'a', weight: 1 },
    { name: 'b', weight: 2 },
    { name: 'c', weight: 5 },
  ]
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
  for (let i = 0; i < 80_000; i++) {
    const owner = rendezvous(`key ${i}`, of)?.name ?? ''
    counts[owner] = (counts[owner] ?? 0) + 1
  }
  for (const { name, weight } of of) {
    const expected = weight * 10_000
    expect(Math.abs((counts[name] ?? 0) - expected), name).toBeLessThan(6 * Math.sqrt(expected))
  }
})

test('nobody owns a key without members', () => {
  expect(rendezvous('key', [])).toBeUndefined()
})
