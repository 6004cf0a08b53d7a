import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultSlots, slotMultipliers, slotOf, slotOffset } from './slot.ts'

const hyphenate = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const reference = (uuid: string, slots: number): number => {
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex')
  const sum = bytes.reduce((h, byte, i) => h + BigInt(byte) * BigInt(slotMultipliers[i] ?? 0), BigInt(slotOffset))
  return Number(((sum % 2n ** 41n) * BigInt(slots)) / 2n ** 41n)
}

test('the constants are what their comment says', () => {
  const derived = Array.from({ length: 17 }, (_, i) =>
    Number(createHash('sha256').update(`ballast slot ${i}`).digest().readBigUInt64BE(0) >> 23n),
  )
  expect(slotMultipliers).toEqual(derived.slice(0, 16).map((value) => value + (value % 2 === 0 ? 1 : 0)))
  expect(slotOffset).toBe(derived[16])
})

test('equal to the definition in exact arithmetic, for any uuid, case and slot count', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom(1, 2, 1024, 16_384, 1_048_576), (uuid, slots) => {
      expect(slotOf(uuid, slots)).toBe(reference(uuid, slots))
      expect(slotOf(uuid.toUpperCase(), slots)).toBe(reference(uuid, slots))
    }),
  )
})

test('known values, for implementations in other languages', () => {
  expect(
    [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '0190a6f0-1c2d-7abc-8def-0123456789ab',
    ].map((uuid) => slotOf(uuid)),
  ).toMatchInlineSnapshot(`
    [
      11709,
      8572,
      5003,
    ]
  `)
})

test('every bit of the id can change the slot', () => {
  const base = randomUUID().replaceAll('-', '')
  for (let bit = 0; bit < 128; bit++) {
    const flipped = (BigInt(`0x${base}`) ^ (1n << BigInt(bit))).toString(16).padStart(32, '0')
    expect(slotOf(hyphenate(flipped), 1_048_576), `bit ${bit}`).not.toBe(slotOf(hyphenate(base), 1_048_576))
  }
})

test.each([
  ['random', () => randomUUID()],
  ['counting up', (i: number) => `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`],
  ['counting in the first digits', (i: number) => `${i.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`],
  [
    'one minute of uuidv7',
    (i: number) => `0190a6f0-${(i & 0xffff).toString(16).padStart(4, '0')}${randomUUID().slice(13)}`,
  ],
])('%s ids spread evenly', (_, make) => {
  const counts = new Uint32Array(64)
  const ids = 64_000
  for (let i = 0; i < ids; i++) {
    const bucket = Math.floor(slotOf(make(i)) / (defaultSlots / 64))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  // Six standard deviations of a uniform spread.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(1000))
})

test.each(['', 'x', '0190a6f0-1c2d-7abc-8def-0123456789a', '0190a6f0-1c2d-7abc-8def-0123456789ag', '0'.repeat(36)])(
  '%j is no uuid',
  (text) => {
    expect(() => slotOf(text)).toThrow(RangeError)
  },
)
