import { describe, expect, test } from 'vitest'
import type { Suite } from '../case.ts'
import { measure } from '../measure.ts'

/**
 * One short round of each case: that both sides start, answer and are closed again; the figures mean nothing. A test file
 * per suite, so that two of them run at once.
 */

export function describeSuite({ name: suite, cases }: Suite): void {
  describe(`suite ${suite}`, () => {
    test.each(cases.map((bench) => ({ name: bench.name, bench })))(
      '$name can be measured',
      { timeout: 240_000 },
      async ({ name, bench }) => {
        expect(name).toMatch(new RegExp(`^(?:${suite}|${suite.split('-')[0]})/`))
        await using stack = new AsyncDisposableStack()
        const sides = await bench.open(stack, { rounds: 1, measureMs: 500 })
        const { ours, peer, unit } = await measure(bench, sides, 1)
        // The number of errors is the one figure that shall be nothing.
        expect(ours).toBeGreaterThan(unit === 'requests' ? -1 : 0)
        expect(peer ?? 1).toBeGreaterThan(0)
      },
    )
  })
}
