import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ObjectIds } from './object-id.ts'

const all = (ids: ObjectIds, count: number, nowMs: number): string[] => {
  const range = ids.reserve(count, nowMs)
  return Array.from({ length: count }, (_, index) => ids.hex(range, index))
}

test('hex and bytes are the same 12 bytes: seconds, random, counter', () => {
  const ids = new ObjectIds(Buffer.from('0102030405aabbcc', 'hex'))
  const range = ids.reserve(2, 0x65_00_00_00 * 1000 + 999)
  const bytes = Buffer.alloc(12)
  ids.write(range, 1, bytes, 0)
  expect(ids.hex(range, 0)).toBe('650000000102030405aabbcc')
  expect(bytes.toString('hex')).toBe('650000000102030405aabbcd')
})

test('a range never wraps: the counter starts again instead', () => {
  const ids = new ObjectIds(Buffer.from('0000000000fffffe', 'hex'))
  expect(all(ids, 5, 1000)).toEqual(Array.from({ length: 5 }, (_, n) => `000000010000000000${`00000${n}`.slice(-6)}`))
})

test('a range that ends with the last counter is followed by one that starts at 0', () => {
  const ids = new ObjectIds(Buffer.from('0000000000fffffb', 'hex'))
  expect(all(ids, 5, 1000).at(-1)).toBe('000000010000000000ffffff')
  expect(all(ids, 1, 1000)).toEqual(['000000010000000000000000'])
})

test('no id is made twice when the clock goes back or a second has too few counters', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 2 ** 22 }), atMs: fc.integer({ min: 0, max: 5000 }) }), {
        maxLength: 60,
      }),
      fc.integer({ min: 0, max: 2 ** 24 - 1 }),
      (steps, start) => {
        const random = Buffer.alloc(8)
        random.writeUIntBE(start, 5, 3)
        const ids = new ObjectIds(random)
        const ranges = steps.map(({ count, atMs }) => ({ ...ids.reserve(count, atMs), count }))
        for (const [index, a] of ranges.entries()) {
          expect(a.first + a.count).toBeLessThanOrEqual(2 ** 24)
          for (const b of ranges.slice(index + 1)) {
            const disjoint = a.seconds !== b.seconds || a.first + a.count <= b.first || b.first + b.count <= a.first
            expect(disjoint).toBe(true)
          }
        }
      },
    ),
  )
})
