import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCounterName } from '../check-ops.ts'
import { fits64Bits, type Counter } from '../port.ts'
import { readCounterLine } from './counter-line.ts'
import { counterLine } from './lines.ts'

const read = (line: string): Counter | undefined => {
  const bytes = Buffer.from(`before\n${line}\nbehind`)
  return readCounterLine(bytes, 7, bytes.byteLength - 7)
}

const numbers = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }))
const counters: fc.Arbitrary<Counter> = fc.record(
  {
    name: fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}\/[A-Za-z0-9._:-]{1,128}$/).filter(isCounterName),
    value: numbers,
    version: numbers,
    expiresAtMs: fc.integer({ min: -1e15, max: 2e15 }),
  },
  { requiredKeys: ['name', 'value', 'version'] },
)

test('every counter is read as it was written, with and without a comma', () => {
  fc.assert(
    fc.property(counters, (counter) => {
      expect(read(counterLine(counter))).toEqual(counter)
      expect(read(`${counterLine(counter)},`)).toEqual(counter)
    }),
  )
})

const grammar = /^"([^"\\]+)":\{"value":"(-?\d{1,19})","version":"(-?\d{1,19})"(?:,"expiresAtMs":(-?\d{1,16}))?\}(,?)$/

/** The same by the grammar. */
function expected(line: string): Counter | undefined {
  const [, name = '', value = '', version = '', expiresAtMs] = grammar.exec(line) ?? []
  if (!isCounterName(name) || !fits64Bits(BigInt(value)) || !fits64Bits(BigInt(version))) return undefined
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs: Number(expiresAtMs) }
  return { name, value: BigInt(value), version: BigInt(version), ...expiry }
}

test('a line that is changed anywhere is read by the grammar, or refused', () => {
  const pieces = fc.constantFrom('', '"', ',', '}', '{', '-', '0', '9', '99', ' ', '\\', 'x', '":"', ',"expiresAtMs":1')
  fc.assert(
    fc.property(counters, fc.nat(400), fc.nat(3), pieces, (counter, at, cut, piece) => {
      const line = counterLine(counter)
      const from = at % (line.length + 1)
      const changed = line.slice(0, from) + piece + line.slice(from + cut)
      expect(read(changed)).toEqual(expected(changed))
    }),
    { numRuns: 5_000 },
  )
})
