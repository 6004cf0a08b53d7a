import { expect, test } from 'vitest'
import type { CounterStore } from '../port.ts'
import { add, token } from './operations.ts'

const rounds = 10

/** Two stores on the same data, as of two processes; `shared` gives the way to open one more. */
export function testTwoProcesses(share: () => Promise<() => Promise<CounterStore>>): void {
  test(
    'two processes that write the same counters lose nothing and never block each other',
    { timeout: 60_000 },
    async () => {
      const open = await share()
      await using first = await open()
      await using second = await open()
      for (let round = 0; round < rounds; round++) {
        // New ones, which have to be made, and one that everybody wants; in opposite orders.
        const names = [...Array.from({ length: 3 }, (_, index) => `r${round}/${index}`), 'n/a']
        await Promise.all([
          first.commit(names.map((name) => add(name, 1n))),
          second.commit(names.toReversed().map((name) => add(name, 1n))),
        ])
        // And only that one, for which nothing has to be made.
        await Promise.all([first, second].map((store) => store.commit([add('n/a', 1n)])))
        await expect(first.read(names.slice(0, -1))).resolves.toMatchObject(
          names.slice(0, -1).map(() => ({ value: 2n })),
        )
      }
      await expect(second.read(['n/a'])).resolves.toMatchObject([{ value: BigInt(4 * rounds) }])
    },
  )

  test('a token that two processes have at the same moment is applied once', { timeout: 60_000 }, async () => {
    const open = await share()
    await using first = await open()
    await using second = await open()
    for (let round = 0; round < rounds; round++) {
      const op = add('n/a', 1n, { token: token(`k${round}`) })
      const outcomes = (await Promise.all([first.commit([op]), second.commit([op])])).flat()
      expect(outcomes).toMatchObject([{ value: BigInt(round + 1) }, { value: BigInt(round + 1) }])
      expect(outcomes.filter(({ replayed }) => replayed)).toHaveLength(1)
    }
  })
}
