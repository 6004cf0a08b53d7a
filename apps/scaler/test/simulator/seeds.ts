import { simulate, type SimulateOptions, type Simulated } from './simulate.ts'

/** So many share the turns of the event loop; each has a world of its own. */
const atOnce = 8

/** Runs many seeds; calls back with each result, not in order. Ends early when `found` says so. */
export async function simulateSeeds(
  seeds: readonly number[],
  options: Omit<SimulateOptions, 'seed'>,
  found: (result: Simulated) => 'go-on' | 'stop',
): Promise<void> {
  const left = [...seeds]
  let stopped = false
  const one = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined && !stopped; seed = left.shift()) {
      if (found(await simulate({ ...options, seed })) === 'stop') stopped = true
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
}

/** What to read when a seed has failed: what is wrong, what happened before it, and how to see it again. */
export function report({ seed, violations, lines }: Simulated): string {
  const first = lines.findIndex((line) => line.includes('VIOLATED'))
  const before = lines.slice(Math.max(0, first - 60), first + 1)
  return [
    `Seed ${seed}: ${violations.length} violations. To replay it: SIMULATOR_SEED=${seed} npx vitest run test/simulator/simulator.test.ts (in apps/scaler)`,
    ...violations.slice(0, 10),
    'What happened before the first one:',
    ...before,
  ].join('\n')
}
