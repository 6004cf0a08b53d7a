import { expect, test } from 'vitest'
import { report, simulateSeeds } from './seeds.ts'
import { simulate, type Simulated } from './simulate.ts'

const runs = Number(process.env['SIMULATOR_SEEDS'] ?? 1_000)
const only = process.env['SIMULATOR_SEED']
const first = Number(only ?? process.env['SIMULATOR_FIRST_SEED'] ?? 1)
const seeds = Array.from({ length: only === undefined ? runs : 1 }, (_, i) => first + i)

test(
  'whatever goes wrong, no tick is doubled or lost, no stale write is accepted, and all is well again soon after',
  { timeout: 60_000 + seeds.length * 1_000 },
  async ({ annotate }) => {
    const failed: Simulated[] = []
    const sums = {
      simulatedMs: 0,
      events: 0,
      ticks: 0,
      creditedRows: 0,
      refused: 0,
      handOvers: 0,
      takeOvers: 0,
      plans: 0,
      scalings: 0,
    }
    let slowestRecoveryMs = 0
    await simulateSeeds(seeds, {}, (result) => {
      const { counts, events, simulatedMs, recoveredMs } = result
      if (result.violations.length > 0) failed.push(result)
      slowestRecoveryMs = Math.max(slowestRecoveryMs, recoveredMs)
      sums.events += events
      sums.simulatedMs += simulatedMs
      for (const name of ['ticks', 'creditedRows', 'refused', 'handOvers', 'takeOvers', 'plans', 'scalings'] as const) {
        sums[name] += counts[name]
      }
      return failed.length >= 5 ? 'stop' : 'go-on'
    })
    expect(failed.map(report).join('\n\n')).toBe('')
    await annotate(
      `${seeds.length} seeds, ${Math.round(sums.simulatedMs / 3_600_000)} simulated hours, ${sums.events} events: ` +
        `${sums.ticks} ticks of ${sums.creditedRows} rows, ${sums.plans} plans, ${sums.scalings} changes of the number of workers, ${sums.handOvers} hand-overs, ${sums.takeOvers} take-overs, ` +
        `${sums.refused} stale calls refused; all rows ticked again within ${slowestRecoveryMs} ms of the last fault`,
    )
    // A run without anything to refuse would prove nothing.
    const floor = only === undefined ? seeds.length / 10 : 0
    expect(Math.min(...Object.values(sums))).toBeGreaterThanOrEqual(floor)
  },
)

test('a seed replays: the same run, event by event', async () => {
  const [one, other] = [await simulate({ seed: first }), await simulate({ seed: first })]
  expect(other).toEqual(one)
  expect((await simulate({ seed: first + 1 })).lines).not.toEqual(one.lines)
})
