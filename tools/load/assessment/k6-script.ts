/*
 * k6 run -e BASE_URL=http://127.0.0.1:4004 tools/load/assessment/k6-script.ts
 *
 * K6_SCALE scales the users (0.1: 1,000 instead of 10,000), K6_TIME_SCALE the 13 minutes; OUTCOME names a file for the figures of
 * the table as JSON. Made for k6 1.x.
 */
import { check } from 'k6'
import http from 'k6/http'
import { Counter, Rate, Trend } from 'k6/metrics'
import { type Outcome, scaled, slowMs, summaryTable, timeoutMs } from './plan.ts'

const baseUrl = __ENV['BASE_URL'] ?? 'http://assessment.local'
const stages = scaled(Number(__ENV['K6_SCALE'] ?? 1), Number(__ENV['K6_TIME_SCALE'] ?? 1))

const errorRate = new Rate('error_rate')
const responseTime = new Trend('response_time_ms', true)
const successful = new Counter('successful_requests')
const failed = new Counter('failed_requests')

export const options = {
  stages: stages.map(({ seconds, users }) => ({ duration: `${seconds}s`, target: users })),
  thresholds: {
    http_req_duration: ['p(95)<2000', 'p(99)<5000'],
    error_rate: ['rate<0.01'],
    http_req_failed: ['rate<0.01'],
  },
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(95)', 'p(99)'],
}

export function setup(): void {
  const { status } = http.get(`${baseUrl}/readyz`)
  if (status !== 200) throw new Error(`${baseUrl}/readyz answers ${status}: is the service up?`)
}

export default function visit(): void {
  const answer = http.get(`${baseUrl}/api/data`, {
    headers: { Accept: 'application/json' },
    timeout: `${timeoutMs / 1000}s`,
  })
  const ok = check(answer, {
    'status is 200': ({ status }) => status === 200,
    'response has status field': ({ body }) => statusOf(body) === 'success',
    'response time < 2s': ({ timings }) => timings.duration < slowMs,
  })
  errorRate.add(!ok)
  responseTime.add(answer.timings.duration)
  if (ok) successful.add(1)
  else failed.add(1)
}

function statusOf(body: unknown): unknown {
  try {
    return JSON.parse(String(body)).status
  } catch {
    return undefined
  }
}

interface Summary {
  readonly state: { readonly testRunDurationMs: number }
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>
}

export function handleSummary({ metrics, state }: Summary): Record<string, string> {
  const value = (metric: string, name: string): number => metrics[metric]?.values[name] ?? 0
  const outcome: Outcome = {
    generator: 'k6',
    users: value('vus_max', 'max'),
    seconds: state.testRunDurationMs / 1000,
    // The one of setup is not counted.
    requests: value('http_reqs', 'count') - 1,
    p95Ms: value('http_req_duration', 'p(95)'),
    p99Ms: value('http_req_duration', 'p(99)'),
    errorRate: value('error_rate', 'rate'),
    failedRate: value('http_req_failed', 'rate'),
  }
  const file = __ENV['OUTCOME']
  return { stdout: `${summaryTable(outcome)}\n`, ...(file === undefined ? {} : { [file]: JSON.stringify(outcome) }) }
}
