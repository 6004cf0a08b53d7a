import { describe, expect, onTestFinished, test } from 'vitest'
import { describeArithmetic } from './contract/arithmetic.ts'
import { describeBatches } from './contract/batches.ts'
import type { CounterHarness, HarnessOptions } from './contract/harness.ts'
import { describeLifetime } from './contract/lifetime.ts'
import { describeTokens } from './contract/tokens.ts'
import { describeVersions } from './contract/versions.ts'
import type { CounterCapabilities } from './port.ts'

export type { CounterHarness, HarnessOptions } from './contract/harness.ts'

/** What every counter store must do; `open` is called once per test. */
export function describeCounterContract(
  backend: string,
  open: (options: HarnessOptions) => Promise<CounterHarness>,
  expected: CounterCapabilities,
): void {
  const start = async (options: HarnessOptions = {}): Promise<CounterHarness> => {
    const harness = await open(options)
    onTestFinished(() => harness.store.close())
    return harness
  }
  describe(`${backend}: a counter store`, () => {
    test('says what it can do', async () => {
      const { store } = await start()
      expect(store.capabilities).toEqual(expected)
      await expect(store.check()).resolves.toBeUndefined()
    })
    describeArithmetic(start)
    describeVersions(start)
    describeBatches(start, expected)
    describeTokens(start, expected)
    describeLifetime(start, expected)
  })
}
