import { expect, test } from 'vitest'
import { measure } from '../measure.ts'
import { suites } from './index.ts'

const cases = suites.flatMap((suite) => suite.cases.map((bench) => ({ suite: suite.name, name: bench.name, bench })))

// One short round: that both sides start, answer and are closed again; the figures mean nothing.
test.each(cases)('$name can be measured', { timeout: 240_000 }, async ({ suite, name, bench }) => {
  expect(name).toMatch(new RegExp(`^(?:${suite}|${suite.split('-')[0]})/`))
  await using stack = new AsyncDisposableStack()
  const { ours, peer, unit } = await measure(bench, await bench.open(stack, { rounds: 1, measureMs: 500 }), 1)
  // The number of errors is the one figure that shall be nothing.
  expect(ours).toBeGreaterThan(unit === 'requests' ? -1 : 0)
  expect(peer ?? 1).toBeGreaterThan(0)
})

test('names are unique', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
})
