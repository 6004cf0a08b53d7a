import { Histogram } from '../histogram.ts'
import { runWrk } from '../wrk/run-wrk.ts'
import { type Outcome, slowMs, type Stage } from './plan.ts'

/** Runs a ramp may be made of, best first: wrk cannot change the number of its connections, and runs whole seconds. */
const stepsPerRamp = [4, 3, 2, 1]

/** The stages as runs with a constant number of users each: a ramp in steps, at the middle of each. */
export function steps(stages: readonly Stage[]): readonly { readonly seconds: number; readonly users: number }[] {
  return stages.flatMap(({ seconds, users }, index) => {
    const from = stages[index - 1]?.users ?? 0
    if (from === users) return [{ seconds, users }]
    const count = stepsPerRamp.find((steps) => seconds % steps === 0) ?? 1
    return Array.from({ length: count }, (_, step) => ({
      seconds: seconds / count,
      users: Math.max(1, Math.round(from + ((users - from) * (step + 0.5)) / count)),
    }))
  })
}

/**
 * At the end of each run every user is in the middle of a request, on average: half of one a user is time that shows no answer.
 * k6 lets its users finish.
 */
export function secondsCutOff(meanMs: number, seconds: number): number {
  return Math.min(meanMs / 2000, seconds / 2)
}

/** Drives the stages with wrk. A request that is both wrong and slow counts twice: never fewer errors than there were. */
export async function runStages(
  url: string,
  stages: readonly Stage[],
  progress: (line: string) => void,
  journal?: string,
): Promise<Outcome> {
  const latencies = new Histogram()
  const sums = { seconds: 0, bad: 0, lost: 0 }
  for (const { seconds, users } of steps(stages)) {
    const result = await runWrk({
      url: `${url}/api/data`,
      connections: users,
      durationMs: seconds * 1000,
      ...(journal === undefined ? {} : { journal }),
    })
    latencies.addAll(result.latencies)
    sums.seconds += result.seconds - secondsCutOff(result.latencies.meanMs, result.seconds)
    sums.bad += result.bad
    sums.lost += result.socketErrors + result.timeouts
    const p95 = result.latencies.percentile(95)
    progress(
      `${users} users: ${(result.answers / result.seconds).toFixed(0)} a second, p95 ${p95} ms, ${result.bad} bad`,
    )
  }
  const requests = latencies.total
  const share = (count: number): number => (requests === 0 ? 1 : count / requests)
  return {
    generator: 'wrk',
    users: Math.max(...stages.map(({ users }) => users)),
    seconds: sums.seconds,
    requests,
    p95Ms: latencies.percentile(95),
    p99Ms: latencies.percentile(99),
    errorRate: share(sums.bad + sums.lost + latencies.countFrom(slowMs)),
    failedRate: share(sums.bad + sums.lost),
  }
}
