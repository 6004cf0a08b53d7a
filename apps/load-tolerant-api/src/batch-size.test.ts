import { encodeDocument } from '@ballast/state-stores/document'
import { expect, test } from 'vitest'
import { BatchSize, endOfCommand } from './batch-size.ts'

const maxBytes = 8 * 2 ** 20
const documentBytes = 600

/** Commands against a store that is described by how long it takes; `backlog` bytes are there each time. */
function drive(commands: number, msOf: (bytes: number) => number, backlog = Infinity) {
  const size = new BatchSize({ maxBytes, targetMs: 1000 })
  const sent: { bytes: number; ms: number }[] = []
  for (let command = 0; command < commands; command++) {
    const bytes = Math.max(documentBytes, Math.min(size.bytes, backlog))
    const ms = msOf(bytes)
    sent.push({ bytes, ms })
    size.answered(bytes, ms)
  }
  return { size, sent, last: sent.slice(commands / 2) }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

test('a fast store gets all that a command may hold, after a few commands', () => {
  const { sent } = drive(20, (bytes) => 2 + bytes / 1e6)
  expect(sent.findIndex(({ bytes }) => bytes === maxBytes)).toBeLessThan(10)
})

test.each([1000, 5000])('what a command takes whatever its size (%d ms) does not make it smaller', (fixedMs) => {
  const { sent, last } = drive(200, () => fixedMs)
  expect(sent.findIndex(({ bytes }) => bytes === maxBytes)).toBeLessThan(20)
  expect(mean(last.map(({ bytes }) => bytes))).toBeGreaterThan(0.85 * maxBytes)
})

test.each([1, 10, 100])('a store that takes %d ms for a document gets what it does in about a second', (ms) => {
  const { sent, last } = drive(200, (bytes) => (bytes / documentBytes) * ms)
  // The first command is before anything is known.
  expect(Math.max(...sent.slice(1).map((command) => command.ms))).toBeLessThan(6000)
  expect(Math.max(...last.map((command) => command.ms))).toBeLessThan(2100)
  expect(mean(last.map((command) => command.ms))).toBeGreaterThan(700)
})

test('both: the fixed part is told from the other, also where no two commands take the same', () => {
  let random = 1
  const noise = (): number => 0.7 + (0.6 * (random = Math.imul(random, 48_271) >>> 0)) / 2 ** 32
  const { last } = drive(200, (bytes) => (2000 + bytes / 1000) * noise())
  expect(Math.max(...last.map((command) => command.ms))).toBeLessThan(10_000)
  expect(mean(last.map(({ bytes }) => bytes))).toBeGreaterThan(500_000)
})

test('small batches of a quiet time do not keep those of a busy one small, however slow each command is', () => {
  const { size } = drive(500, () => 1500, 3000)
  let commands = 0
  for (; size.bytes < maxBytes && commands < 100; commands++) size.answered(size.bytes, 1500)
  expect(commands).toBeLessThan(30)
})

test('a store that becomes slow gets smaller commands one after the other, and larger ones when it is fast again', () => {
  const { size } = drive(50, (bytes) => bytes / 1e5)
  expect(size.bytes).toBe(maxBytes)
  let slow = 0
  for (let command = 0; command < 30; command++) {
    if (size.bytes > 3e6) slow++
    size.answered(size.bytes, size.bytes / 1e3)
  }
  expect(size.bytes).toBeLessThan(2e6)
  // The first one, which nobody could know, and the next, half as large.
  expect(slow).toBe(2)
  for (let command = 0; command < 30; command++) size.answered(size.bytes, size.bytes / 1e5)
  expect(size.bytes).toBe(maxBytes)
})

test('after failures commands are small, down to one document, and grow again from there', () => {
  const { size } = drive(50, () => 1)
  size.failed()
  expect(size.bytes).toBe(32 * 1024)
  for (let failures = 0; failures < 30; failures++) size.failed()
  expect(size.bytes).toBe(1)
  for (let command = 0; command < 20; command++) size.answered(Math.max(documentBytes, size.bytes), 5)
  expect(size.bytes).toBe(maxBytes)
})

test('a command ends at either bound, and has at least one document', () => {
  const documents = Array.from({ length: 10 }, (_, n) =>
    encodeDocument(n.toString(16).padStart(24, '0'), { text: 'x'.repeat(n === 3 ? 500 : 50) }),
  )
  const ends = (maxDocuments: number, bytes: number): number[] => {
    const all: number[] = []
    for (let from = 0; from < documents.length;) {
      from = endOfCommand(documents, from, { maxDocuments, maxBytes: bytes })
      all.push(from)
    }
    return all
  }
  expect(ends(4, 1e9)).toEqual([4, 8, 10])
  expect(ends(100, 300)).toEqual([3, 4, 7, 10])
  expect(ends(100, 1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})
