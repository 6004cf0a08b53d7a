import { slowMs } from '../../../load/assessment/plan.ts'
import { generateLoad } from '../../../load/generate-load.ts'
import { failures } from '../../../load/options.ts'
import { hasWrk, runWrk } from '../../../load/wrk/run-wrk.ts'

export interface UsersResult {
  readonly perSecond: number
  /** Goodput: right, and in time. */
  readonly goodPerSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Requests that were refused, wrong, broken, or took two seconds and more. */
  readonly errors: number
  /** Answers that nobody got: their writes may be there. */
  readonly unanswered: number
}

export interface UsersOptions {
  readonly url: string
  readonly connections: number
  readonly durationMs: number
  readonly journal?: string
  /** Requests at fixed times, whoever waits: a latency counts from when its request was due. Without it, as many as are answered. */
  readonly ratePerSecond?: number
}

/** Users without think time on kept-alive connections: wrk where it is installed, as it costs the least. */
export async function users(options: UsersOptions): Promise<UsersResult> {
  return options.ratePerSecond === undefined && (await hasWrk()) ? byWrk(options) : byNode(options)
}

/**
 * Thousands come over some seconds, up to a thousand or two in each: fifty times as fast as in the original script, where ten thousand who
 * connect in the same moment would measure how long that many connections take to be accepted.
 */
const groupsOf = ({ connections, durationMs }: UsersOptions): number =>
  Math.max(1, Math.min(Math.floor(connections / 1000), Math.floor(durationMs / 3000)))

async function byWrk({ url, ...options }: UsersOptions): Promise<UsersResult> {
  const groups = groupsOf({ url, ...options })
  const result = await runWrk({ url: `${url}/api/data`, ...options, groups })
  const { latencies, seconds, bad, socketErrors, timeouts, answers } = result
  const { connections, durationMs } = options
  // Nobody was answered: slower than the run was long, which is no zero.
  if (answers === 0) {
    return {
      perSecond: 0,
      goodPerSecond: 0,
      p50Ms: durationMs,
      p95Ms: durationMs,
      p99Ms: durationMs,
      errors: connections,
      unanswered: connections,
    }
  }
  return {
    perSecond: (answers - bad) / seconds,
    goodPerSecond: Math.max(0, answers - bad - latencies.countFrom(slowMs)) / seconds,
    p50Ms: latencies.percentile(50),
    p95Ms: latencies.percentile(95),
    p99Ms: latencies.percentile(99),
    errors: bad + socketErrors + timeouts + latencies.countFrom(slowMs),
    // It ends in the middle: each connection has a request under way.
    unanswered: connections + socketErrors + timeouts,
  }
}

async function byNode({ url, connections, durationMs, journal, ratePerSecond }: UsersOptions): Promise<UsersResult> {
  const result = await generateLoad({
    url,
    connections,
    durationMs,
    request: { method: 'GET', path: '/api/data' },
    ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    ...(journal === undefined ? {} : { collect: { key: 'writes', file: `${journal}.${Date.now()}`, quoted: true } }),
  })
  const broken = Object.values(result.broken).reduce((sum, count) => sum + count, 0)
  return {
    perSecond: result.perSecond,
    // It keeps percentiles only: all are in time, or none is said to be.
    goodPerSecond: result.latencyMs.max < slowMs ? result.perSecond : 0,
    p50Ms: result.latencyMs.p50,
    p95Ms: result.latencyMs.p95,
    p99Ms: result.latencyMs.p99,
    errors: failures(result) + (result.latencyMs.max >= slowMs ? 1 : 0),
    unanswered: broken,
  }
}
