import { expect, test } from 'vitest'
import { decodeDead, encodeDead } from './lmdb-dead.ts'
import { decodeFrame, encodeFrame, frameDamage, isLater, sequenceKey, sequenceOf } from './lmdb-records.ts'

const frame = { documents: 70_000, appendedAtMs: 1_800_000_000_000.25, body: Buffer.from('body') }
const letter = { id: 'ä', reason: 'why', buriedAtMs: 1, deliveries: 2, body: Buffer.from([0, 255]) }

test('frames and letters come back as they were', () => {
  for (const firstId of [undefined, '0123456789abcdef01234567']) {
    expect(decodeFrame(encodeFrame({ ...frame, firstId }))).toEqual({ ...frame, firstId })
  }
  expect(decodeDead(encodeDead(letter))).toEqual(letter)
})

test('the bytes of a format never change', () => {
  const stored = encodeFrame({
    documents: 5,
    appendedAtMs: 1,
    firstId: '0123456789abcdef01234567',
    body: Buffer.from('x'),
  })
  expect(stored.toString('hex')).toBe('0201000000053ff00000000000000123456789abcdef012345678cdc168378')
  expect(encodeDead({ ...letter, id: 'a' }).toString('latin1')).toBe(
    '\x01\0\0\0\x37{"id":"a","reason":"why","buriedAtMs":1,"deliveries":2}\0\xff',
  )
})

test('a later format is refused, not guessed', () => {
  const later = encodeFrame({ ...frame, firstId: undefined })
  later[0] = 3
  expect(isLater(later)).toBe(true)
  expect(() => decodeFrame(later)).toThrow('format 3')
  const laterLetter = encodeDead(letter)
  laterLetter[0] = 9
  expect(() => decodeDead(laterLetter)).toThrow('format 9')
})

test('keys order as numbers', () => {
  const numbers = [1, 255, 256, 2 ** 32, 2 ** 53 - 1]
  const keys = numbers.map(sequenceKey)
  expect(keys.toSorted((a, b) => a.compare(b)).map(sequenceOf)).toEqual(numbers)
})

test('a frame without a checksum, of an older release, is read; one whose body has changed is found out', () => {
  const old = Buffer.from('0101000000053ff00000000000000123456789abcdef0123456778', 'hex')
  expect(decodeFrame(old)).toMatchObject({ documents: 5, appendedAtMs: 1, body: Buffer.from('x') })
  expect(frameDamage(old)).toBeUndefined()
  const stored = encodeFrame({ ...frame, firstId: undefined })
  expect(frameDamage(stored)).toBeUndefined()
  stored[stored.length - 1] = 0
  expect(frameDamage(stored)).toContain('checksum')
})
