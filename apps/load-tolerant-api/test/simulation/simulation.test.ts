import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { simulate } from './simulate.ts'

const seeds = Array.from({ length: Number(process.env['SIMULATION_SEEDS'] ?? 200) }, (_, index) => index + 1)

test('stores that fail before and after, processes that die: nothing acknowledged is lost or there twice', async () => {
  let acknowledged = 0
  for (const seed of seeds) {
    const report = await simulate(seed)
    expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] })
    acknowledged += report.acknowledged
  }
  expect(acknowledged).toBeGreaterThan(seeds.length * 100)
}, 600_000)

test.each(Object.entries(mutants))(
  'is caught: %s',
  async (_, mutant) => {
    for (const seed of seeds) {
      const report = await simulate(seed, mutant)
      if (report.ok) continue
      expect(report.violations[0]).toMatch(/is lost|twice|never acknowledged/)
      return
    }
    expect.fail(`none of ${seeds.length} seeds shows it`)
  },
  600_000,
)
