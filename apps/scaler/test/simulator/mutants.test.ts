import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { simulateSeeds } from './seeds.ts'

const seeds = Array.from({ length: 1_000 }, (_, i) => i + 1)

test.each(Object.entries(mutants))(
  'the simulator catches a store with this fault: %s',
  { timeout: 600_000 },
  async (_, open) => {
    const caught: string[] = []
    await simulateSeeds(seeds, { open }, ({ violations, seed }) => {
      const [violation] = violations
      if (violation === undefined) return 'go-on'
      caught.push(`seed ${seed}: ${violation}`)
      return 'stop'
    })
    expect(caught[0]).toMatch(/^seed \d+: I[1-8] at /)
  },
)
