import fc from 'fast-check'
import { expect, test } from 'vitest'
import { slotOf } from './slot.ts'
import { slotsOf } from './slots.ts'

const slotCounts = fc.constantFrom(1, 2, 1024, 16_384, 1_048_576)
const ids = fc.array(fc.uuid(), { maxLength: 30 })

test('equal to one by one, for any uuids, case and slot count', () => {
  fc.assert(
    fc.property(ids, slotCounts, (uuids, slots) => {
      const mixed = uuids.map((uuid, i) => (i % 2 === 0 ? uuid : uuid.toUpperCase()))
      expect([...slotsOf(mixed, slots)]).toEqual(mixed.map((uuid) => slotOf(uuid, slots)))
    }),
  )
})

test.each([0, 1, 511, 512, 513, 5_000])('equal to one by one for a list of %i', (length) => {
  const uuids = Array.from({ length }, () => crypto.randomUUID())
  expect(slotsOf(uuids)).toEqual(Int32Array.from(uuids, (uuid) => slotOf(uuid)))
})

const good = '0190a6f0-1c2d-7abc-8def-0123456789ab'

const outcomeOf = (slot: () => number | undefined): unknown => {
  try {
    return slot()
  } catch (error) {
    return String(error)
  }
}

test('every character counts, and what one by one refuses is refused alike', () => {
  fc.assert(
    fc.property(fc.nat(35), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (at, character) => {
      const uuid = good.slice(0, at) + character + good.slice(at + 1)
      expect(outcomeOf(() => slotsOf([good, uuid])[1])).toBe(outcomeOf(() => slotOf(uuid)))
    }),
    { numRuns: 1_000 },
  )
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code)
    for (const at of [0, 8, 15, 35]) {
      const uuid = good.slice(0, at) + character + good.slice(at + 1)
      expect(outcomeOf(() => slotsOf([good, uuid])[1])).toBe(outcomeOf(() => slotOf(uuid)))
    }
  }
})

test('what only looks like uuids once joined, or in fewer bits, is refused', () => {
  expect(() => slotsOf([good.slice(0, 35), `b${good}`])).toThrow('not a uuid')
  // U+0130 ends in 0x30, the code of "0".
  expect(() => slotsOf([good.replace('0', 'İ')])).toThrow('not a uuid')
  expect(() => slotsOf([`${good.slice(0, 34)}é`])).toThrow('not a uuid')
})

test('a result can be reused; one that is too short is refused', () => {
  const into = new Int32Array(3)
  expect(slotsOf([good, good], 16_384, into)).toBe(into)
  expect([...into]).toEqual([slotOf(good), slotOf(good), 0])
  expect(() => slotsOf([good, good], 16_384, new Int32Array(1))).toThrow('no room for 2 slots in 1')
})
