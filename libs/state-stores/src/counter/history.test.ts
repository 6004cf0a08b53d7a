import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHistory, type Addition, type History } from './history.ts'

const ack = (key: string, value: number, startedMs: number, endedMs: number, by = 1): Addition => ({
  key,
  by: BigInt(by),
  value: BigInt(value),
  startedMs,
  endedMs,
})
const lost = (key: string, startedMs: number): Addition => ({ key, by: 1n, startedMs })
const violations = (history: Partial<History>): readonly string[] =>
  checkHistory({ initial: 0n, additions: [], final: 0n, ...history }).violations

describe('what must be found', () => {
  test('two additions that were answered the same value', () => {
    expect(violations({ additions: [ack('a', 1, 0, 9), ack('b', 1, 0, 9)], final: 1n })).toEqual([
      'b was answered 1, but all up to 1 was taken: an addition was lost',
    ])
  })

  test('a final value below what was answered', () => {
    expect(violations({ additions: [ack('a', 1, 0, 1), ack('b', 2, 2, 3)], final: 1n })[0]).toContain('lost')
  })

  test('a final value above what was asked for', () => {
    expect(violations({ additions: [ack('a', 1, 0, 1), lost('b', 0)], final: 3n })[0]).toContain('doubled')
  })

  test('a gap that no unanswered request explains', () => {
    expect(violations({ additions: [ack('a', 1, 0, 1), ack('b', 3, 2, 3)], final: 3n })[0]).toContain('doubled')
  })

  test('answers out of order', () => {
    expect(violations({ additions: [ack('a', 2, 0, 1), ack('b', 1, 2, 3)], final: 2n })[0]).toContain(
      'time ran backwards',
    )
  })

  test('a reading of what was lost later, and a stale one', () => {
    const additions = [ack('a', 1, 5, 6)]
    expect(violations({ additions, readings: [{ value: 1n, startedMs: 0, endedMs: 1 }], final: 1n })).toHaveLength(1)
    expect(violations({ additions, readings: [{ value: 0n, startedMs: 7, endedMs: 8 }], final: 1n })).toHaveLength(1)
  })
})

describe('what must pass', () => {
  test('nothing at all', () => expect(violations({})).toEqual([]))

  test('an unanswered addition, whether it took effect or not', () => {
    for (const final of [1n, 2n])
      expect(violations({ additions: [ack('a', 1, 0, 1), lost('b', 0)], final })).toEqual([])
  })

  test('concurrent answers in any order, larger steps, and a counter that did not begin at 0', () => {
    expect(violations({ initial: 10n, additions: [ack('a', 17, 0, 9, 2), ack('b', 15, 0, 9, 5)], final: 17n })).toEqual(
      [],
    )
  })
})

/** A correct counter with concurrent clients: every operation takes effect at some moment between start and end. */
const correct = fc
  .array(
    fc.record({
      start: fc.nat(100),
      before: fc.integer({ min: 0, max: 50 }),
      after: fc.integer({ min: 1, max: 50 }),
      answered: fc.boolean(),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .map((operations) => {
    let value = 0n
    const additions = operations
      .map((operation, id) => ({ ...operation, id, at: operation.start + operation.before + id / 1000 }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ id, at, start, after, answered }): Addition => {
        value += 1n
        return { key: `k${id}`, by: 1n, startedMs: start, ...(answered && { endedMs: at + after, value }) }
      })
    return { initial: 0n, additions, final: value }
  })

test('a correct history has no violations', () => {
  fc.assert(
    fc.property(correct, (history) => {
      expect(checkHistory(history).violations).toEqual([])
    }),
  )
})

test('one lost or doubled addition in a history where all were answered is always found', () => {
  const answered = correct.filter(({ additions }) => additions.every(({ value }) => value !== undefined))
  fc.assert(
    fc.property(answered, ({ additions, final }) => {
      expect(violations({ additions, final: final - 1n })).not.toEqual([])
      expect(violations({ additions, final: final + 1n })).not.toEqual([])
    }),
    { numRuns: 20 },
  )
})
