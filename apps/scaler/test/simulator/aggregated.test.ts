import { expect, test } from 'vitest'
import { simulateAggregated } from './aggregated.ts'

const workers = Number(process.env['SIMULATOR_WORKERS'] ?? 100)
const rows = Number(process.env['SIMULATOR_ROWS'] ?? 1_000_000)
const slots = Number(process.env['SIMULATOR_SLOTS'] ?? 16_384)
const events = Number(process.env['SIMULATOR_EVENTS'] ?? 100)

test(
  'many workers and rows: even, moved by the minimum, never unowned for more than a lease and a tick',
  { timeout: 60_000 + events * 30_000 },
  async ({ annotate }) => {
    const result = simulateAggregated({ seed: 1, workers, rows, slots, events })
    const { plans, slowestPlanMs, worstMaxOverMean, movedOverMinimum, longestUnownedTicks } = result
    await annotate(
      `${workers} workers, ${rows} rows, ${slots} slots, ${events} events: ${plans} plans, the slowest ${slowestPlanMs.toFixed(0)} ms, ` +
        `max/mean ${worstMaxOverMean.toFixed(4)}, moved ${movedOverMinimum.toFixed(4)} of the minimum, ${longestUnownedTicks} ticks unowned at most`,
    )
    expect(result.violations.slice(0, 10)).toEqual([])
    expect(plans).toBeGreaterThan(events / 4)
    expect(result.refused).toBeGreaterThan(0)
  },
)
