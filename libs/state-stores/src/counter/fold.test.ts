import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, tokenId, type FoldState, type TokenLimits } from './fold.ts'
import { fits64Bits, largestValue, smallestValue, type Counter, type CounterOp, type CounterOutcome } from './port.ts'
import { CounterState } from './state.ts'

const limits: TokenLimits = { tokenWindowMs: 1000, maxTokens: 6 }
const interesting = fc.oneof(
  fc.bigInt({ min: -9n, max: 9n }),
  fc.constantFrom(largestValue, smallestValue, 2n ** 53n + 1n),
)
const name = fc.constantFrom('n/a', 'n/b', 'm/a')
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const common = {
  name,
  // A fingerprint belongs to one key, as that of a request of one operation does.
  token: optional(
    fc
      .record({
        scope: fc.constantFrom('s', 't'),
        key: fc.constantFrom('1', '2', '3', '4'),
        asked: fc.constantFrom('f', 'f', 'g'),
      })
      .map(({ scope, key, asked }) => ({ scope, key, fingerprint: `${key}${asked}` })),
  ),
  ifVersion: fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.constant('any' as const)), {
    nil: undefined,
    freq: 2,
  }),
}
const expiresAtMs = fc.option(fc.integer({ min: 0, max: 3000 }), { nil: null })
const operation: fc.Arbitrary<CounterOp> = fc
  .oneof(
    fc.record({
      kind: fc.constant('add'),
      ...common,
      by: interesting,
      min: optional(interesting),
      max: optional(interesting),
      onBound: fc.constantFrom('reject', 'saturate'),
      expiresAtMs: optional(expiresAtMs),
    }),
    fc.record({ kind: fc.constant('set'), ...common, to: interesting, expiresAtMs: optional(expiresAtMs) }),
    fc.record({ kind: fc.constant('remove'), ...common }),
  )
  // A missing property and one that is undefined are two things in the type, so drop the latter.
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as CounterOp)
const batches = fc.array(
  fc.record({ laterMs: fc.constantFrom(0, 1, 400, 1100), ops: fc.array(operation, { maxLength: 8 }) }),
  { maxLength: 12 },
)

type Batches = readonly { laterMs: number; ops: readonly CounterOp[] }[]

interface Step {
  nowMs: number
  op: CounterOp
  outcome: CounterOutcome
}

function run(state: CounterState, steps: Batches, apply: typeof fold): Step[] {
  let clockMs = 0
  return steps.flatMap(({ laterMs, ops }) => {
    const nowMs = state.advance((clockMs += laterMs))
    const folded = apply(state, ops, nowMs, limits)
    state.merge(folded)
    return ops.map((op, index) => ({ nowMs, op, outcome: folded.outcomes[index] as CounterOutcome }))
  })
}

/** The same by folding one operation at a time. */
const oneByOne: typeof fold = (state, ops, nowMs, limits) => {
  const scratch = new CounterState()
  scratch.lastVersion = state.lastVersion
  const counters = new Map<string, Counter | undefined>()
  const tokens = new Map<string, NonNullable<ReturnType<FoldState['tokens']['get']>>>()
  const outcomes = ops.map((op) => {
    const view: FoldState = {
      counters: { get: (key) => (counters.has(key) ? counters.get(key) : state.counters.get(key)) },
      tokens: { get: (id) => tokens.get(id) ?? state.tokens.get(id) },
      lastVersion: scratch.lastVersion,
      liveTokens: state.liveTokens + tokens.size,
    }
    const folded = fold(view, [op], nowMs, limits)
    for (const [key, value] of folded.counters) counters.set(key, value)
    for (const [key, value] of folded.tokens) tokens.set(key, value)
    scratch.lastVersion = folded.lastVersion
    return folded.outcomes[0] as CounterOutcome
  })
  return { outcomes, counters, tokens, lastVersion: scratch.lastVersion }
}

/** What of an outcome does not follow from the operation and the counter as it found it. */
function contradictions(
  op: CounterOp,
  outcome: CounterOutcome,
  current: { value: bigint; version: bigint } | undefined,
): string[] {
  const wrong: string[] = []
  const must = (holds: boolean, what: string): unknown => holds || wrong.push(what)
  if (!outcome.ok) {
    const aboutToken = outcome.reason === 'token-mismatch' || outcome.reason === 'token-window-full'
    must(
      aboutToken || (outcome.current?.value === current?.value && outcome.current?.version === current?.version),
      'current',
    )
    return wrong
  }
  const { value, previous } = outcome
  must(previous === (current?.value ?? 0n), 'previous')
  must(fits64Bits(value), '64 bits')
  must(
    op.ifVersion === undefined ||
      (op.ifVersion === 'any' ? current !== undefined : op.ifVersion === (current?.version ?? 0n)),
    'ifVersion',
  )
  must(op.kind !== 'set' || value === op.to, 'set')
  if (op.kind !== 'add') return wrong
  const moved = value - previous
  must(op.onBound === 'saturate' || moved === op.by, 'all or nothing')
  must(op.by > 0n ? moved >= 0n && moved <= op.by : moved <= 0n && moved >= op.by, 'no further than asked')
  must(op.max === undefined || moved <= 0n || value <= op.max, 'max')
  must(op.min === undefined || moved >= 0n || value >= op.min, 'min')
  return wrong
}

describe('fold', () => {
  test('a batch does what its operations do one by one', () => {
    fc.assert(
      fc.property(batches, (steps) => {
        const [together, alone] = [new CounterState(), new CounterState()]
        expect(run(together, steps, fold)).toEqual(run(alone, steps, oneByOne))
        expect(together.counters).toEqual(alone.counters)
        expect(together.tokens).toEqual(alone.tokens)
      }),
    )
  })

  test('outcomes explain the state: they are a chain of values, and versions only go up', () => {
    fc.assert(
      fc.property(batches, (steps) => {
        const state = new CounterState()
        const model = new Map<string, { value: bigint; version: bigint; expiresAtMs: number | undefined }>()
        let highest = 0n
        for (const { nowMs, op, outcome } of run(state, steps, fold)) {
          if (outcome.replayed) continue
          const known = model.get(op.name)
          const current = known === undefined || (known.expiresAtMs ?? Infinity) <= nowMs ? undefined : known
          expect(contradictions(op, outcome, current)).toEqual([])
          if (!outcome.ok) continue
          expect(outcome.version).toBe(++highest)
          if (op.kind === 'remove') model.delete(op.name)
          else model.set(op.name, { value: outcome.value, version: outcome.version, expiresAtMs: outcome.expiresAtMs })
        }
        for (const key of ['n/a', 'n/b', 'm/a']) {
          const known = model.get(key)
          const live = known === undefined || (known.expiresAtMs ?? Infinity) <= state.nowMs ? undefined : known
          expect(state.get(key)?.value).toBe(live?.value)
        }
      }),
    )
  })

  test('a token is applied at most once in its window, and no more than the cap are kept', () => {
    fc.assert(
      fc.property(batches, (steps) => {
        const state = new CounterState()
        const appliedAtMs = new Map<string, number>()
        for (const { nowMs, op, outcome } of run(state, steps, fold)) {
          if (op.token === undefined || outcome.replayed) continue
          if (!outcome.ok && (outcome.reason === 'token-mismatch' || outcome.reason === 'token-window-full')) continue
          const id = tokenId(op.token)
          expect(nowMs - (appliedAtMs.get(id) ?? -Infinity)).toBeGreaterThanOrEqual(limits.tokenWindowMs)
          appliedAtMs.set(id, nowMs)
        }
        expect(state.tokens.size).toBeLessThanOrEqual(limits.maxTokens)
      }),
    )
  })

  test('changes nothing of what it is given', () => {
    fc.assert(
      fc.property(batches, fc.array(operation), (steps, ops) => {
        const state = new CounterState()
        run(state, steps, fold)
        const before = structuredClone({ counters: state.counters, tokens: state.tokens, version: state.lastVersion })
        fold(state, ops, state.nowMs, limits)
        expect({ counters: state.counters, tokens: state.tokens, version: state.lastVersion }).toEqual(before)
      }),
      { numRuns: 30 },
    )
  })
})

describe('state', () => {
  test('a clock that is set back is carried on from the latest time seen, so that nothing expired comes to life', () => {
    const state = new CounterState()
    expect([state.advance(100), state.advance(50), state.advance(51)]).toEqual([100, 100, 101])
  })

  test('expired counters and tokens are forgotten, not only hidden', () => {
    const state = new CounterState()
    const token = { scope: 's', key: 'k', fingerprint: 'f' }
    state.merge(fold(state, [{ kind: 'add', name: 'n/a', by: 1n, expiresAtMs: 500, token }], state.advance(1), limits))
    expect([state.counters.size, state.tokens.size]).toEqual([1, 1])
    state.advance(2_000)
    expect([state.counters.size, state.tokens.size]).toEqual([0, 0])
  })
})
