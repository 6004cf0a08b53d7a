import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { memoryCounterStore } from '../memory.ts'
import {
  largestValue,
  smallestValue,
  type CounterCapabilities,
  type CounterOp,
  type CounterOutcome,
  type CounterStore,
} from '../port.ts'
import type { Start } from './harness.ts'

const name: fc.Arbitrary<string> = fc.constantFrom('n/a', 'n/b', 'm/a')
const number = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.constantFrom(largestValue, largestValue - 3n, smallestValue, smallestValue + 3n, 2n ** 53n, -(2n ** 53n) - 1n),
)
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const expiresInMs = maybe(fc.option(fc.constantFrom(-5, 0, 10, 1000)))
const condition = maybe(fc.constantFrom('any', 'current', 'absent', 'wrong'))
const token = maybe(
  fc.record({
    scope: fc.constantFrom('s', 's2'),
    key: fc.constantFrom('1', '2', '3', '4', '5'),
    fingerprint: fc.constantFrom('f', 'g|,\n'),
  }),
)
const shared = { name, condition, token }
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      by: number,
      min: maybe(number),
      max: maybe(number),
      onBound: maybe(fc.constantFrom('reject' as const, 'saturate' as const)),
      expiresInMs,
      ...shared,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), to: number, expiresInMs, ...shared }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), ...shared }) },
)
type Asked = typeof operation extends fc.Arbitrary<infer T> ? T : never
const step = fc.record({
  ops: fc.array(operation, { minLength: 1, maxLength: 8 }),
  passMs: fc.constantFrom(0, 0, 5, 10, 410),
})

/**
 * What a store answers must be what the fold answers in memory, but for the versions themselves. One store is used for all
 * runs: each has counters of its own, and finds the tokens of the one before expired.
 */
export function testAgainstMemory(
  start: Start,
  runs: number,
  { atomicity }: Pick<CounterCapabilities, 'atomicity'> = { atomicity: 'batch' },
): void {
  // Where each counter has its own limit of tokens there is one counter, for memory has one limit.
  const only = atomicity === 'counter' ? 'n/a' : undefined
  test(
    `any batches: the same outcomes and counters as in memory (${runs} runs)`,
    { timeout: 60_000 + runs * 2000 },
    async () => {
      const limits = { tokenWindowMs: 400, maxTokens: 4 }
      const { store, nowMs, pass } = await start(limits)
      onTestFinished(() => store.close())
      const model = memoryCounterStore({ ...limits, now: nowMs })
      let round = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          const prefix = `r${round++}.`
          await pass(limits.tokenWindowMs * 2)
          for (const { ops: given, passMs } of steps) {
            const ops = given.map((op) => ({ ...op, name: prefix + (only ?? op.name) }))
            const [expected, actual] = [await run(model, ops, nowMs()), await run(store, ops, nowMs())]
            expect(actual).toEqual(expected)
            await pass(passMs)
            expect(await snapshot(store, prefix)).toEqual(await snapshot(model, prefix))
          }
        }),
        { numRuns: runs },
      )
    },
  )
}

async function run(store: CounterStore, asked: readonly Asked[], nowMs: number): Promise<unknown[]> {
  const counters = await store.read(asked.map((each) => each.name))
  const ops = asked.map((each, index) => toOperation(each, counters[index]?.version ?? 0n, nowMs))
  return (await store.commit(ops)).map(withoutVersion)
}

function toOperation({ condition: when, token: given, ...rest }: Asked, version: bigint, nowMs: number): CounterOp {
  const ifVersion = when === 'any' ? when : when === 'current' ? version : when === 'absent' ? 0n : largestValue
  // What is asked of which counter is part of the fingerprint, as port.ts wants it.
  const token = given && { ...given, fingerprint: given.fingerprint + rest.name }
  const common = { name: rest.name, ...(token && { token }), ...(when && { ifVersion }) }
  if (rest.kind === 'remove') return { kind: 'remove', ...common }
  const { expiresInMs: inMs } = rest
  const expiry = inMs === undefined ? {} : { expiresAtMs: inMs === null ? null : nowMs + inMs }
  if (rest.kind === 'set') return { kind: 'set', to: rest.to, ...common, ...expiry }
  const { by, min, max, onBound } = rest
  return {
    kind: 'add',
    by,
    ...common,
    ...expiry,
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(onBound && { onBound }),
  }
}

function withoutVersion(outcome: CounterOutcome): unknown {
  if (outcome.ok) return { ...outcome, version: 'some' }
  return outcome.current === undefined ? outcome : { ...outcome, current: { ...outcome.current, version: 'some' } }
}

const snapshot = async (store: CounterStore, prefix: string): Promise<unknown[]> =>
  (await store.scan({ prefix, limit: 10 })).map((counter) => ({ ...counter, version: 'some' }))
