import { expect, test } from 'vitest'
import { RandomHex } from './random-hex.ts'

test('digits look random and none is handed out twice', () => {
  const source = new RandomHex(1024)
  const target = Buffer.alloc(512)
  const payloads = new Set<string>()
  const counts = new Map<string, number>()
  for (let round = 0; round < 400; round++) {
    source.write(target, 0, 512)
    const payload = target.toString('latin1')
    expect(payload).toMatch(/^[0-9a-f]{512}$/)
    payloads.add(payload.slice(0, 16)).add(payload.slice(-16))
    for (const digit of payload) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  }
  expect(payloads.size).toBe(800)
  const expected = (400 * 512) / 16
  // Chi-squared with 15 degrees of freedom exceeds 60 once in a few million runs.
  const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  expect(chiSquared).toBeLessThan(60)
})

test('takes from the pool in order and refills it when it runs out', () => {
  let fills = 0
  const source = new RandomHex(4, (raw) => void raw.fill(++fills))
  const target = Buffer.alloc(4)
  const take = (): string => (source.write(target, 0, 4), target.toString('latin1'))
  expect([take(), take(), take()]).toEqual(['0101', '0101', '0202'])
})
