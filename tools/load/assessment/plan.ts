/*
 * The load test of the original assessment: its stages, its checks, its thresholds. Users have no think time. Read by the k6
 * script as well, so nothing of Node is used here.
 */

export interface Stage {
  readonly seconds: number
  /** Users at the end of the stage; they are added or taken away evenly. */
  readonly users: number
}

export const stages: readonly Stage[] = [
  { seconds: 60, users: 1000 },
  { seconds: 120, users: 5000 },
  { seconds: 180, users: 10_000 },
  { seconds: 300, users: 10_000 },
  { seconds: 120, users: 0 },
]

/** An answer that takes this long counts as an error, whatever it says. */
export const slowMs = 2000
export const timeoutMs = 10_000

export function scaled(scale: number, timeScale: number): readonly Stage[] {
  return stages.map(({ seconds, users }) => ({
    seconds: Math.max(1, Math.round(seconds * timeScale)),
    users: Math.round(users * scale),
  }))
}

export interface Outcome {
  readonly generator: string
  readonly users: number
  readonly seconds: number
  readonly requests: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Share of requests that failed a check: status 200, success in the body, under two seconds. */
  readonly errorRate: number
  /** Share of requests without an answer below 400. */
  readonly failedRate: number
}

interface Threshold {
  readonly name: string
  readonly limit: number
  readonly unit: string
  readonly figure: (outcome: Outcome) => number
}

export const thresholds: readonly Threshold[] = [
  { name: 'http_req_duration p(95)', limit: 2000, unit: 'ms', figure: ({ p95Ms }) => p95Ms },
  { name: 'http_req_duration p(99)', limit: 5000, unit: 'ms', figure: ({ p99Ms }) => p99Ms },
  { name: 'error_rate', limit: 1, unit: '%', figure: ({ errorRate }) => errorRate * 100 },
  { name: 'http_req_failed', limit: 1, unit: '%', figure: ({ failedRate }) => failedRate * 100 },
]

export const passes = (outcome: Outcome): boolean =>
  thresholds.every(({ limit, figure }) => figure(outcome) < limit) && outcome.requests > 0

/** The same table for whichever generator. */
export function summaryTable(outcome: Outcome): string {
  const { generator, users, seconds, requests } = outcome
  const perSecond = seconds === 0 ? 0 : requests / seconds
  const rows = thresholds.map(({ name, limit, unit, figure }) => {
    const value = figure(outcome)
    const text = unit === '%' ? value.toFixed(3) : value.toFixed(0)
    return `  ${name.padEnd(24)} ${text.padStart(9)} ${unit.padEnd(2)}   < ${String(limit).padEnd(5)} ${value < limit ? 'pass' : 'FAIL'}`
  })
  return [
    `${generator}: up to ${users} users, ${seconds.toFixed(0)} s, ${requests} requests, ${perSecond.toFixed(1)} a second`,
    ...rows,
    passes(outcome) ? 'all thresholds pass' : 'a threshold FAILED',
  ].join('\n')
}
