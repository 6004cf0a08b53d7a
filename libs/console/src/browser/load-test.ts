import { call, Refused } from './call.ts'

export interface Summary {
  readonly requests: number
  readonly failed: number
  readonly perSecond: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly statuses: ReadonlyMap<string, number>
}

/** A browser opens six connections to one origin, and one of them is the stream. */
const atOnce = 6
const longestMs = 30_000
const tellEveryMs = 500

/** So many requests and no more, for half a minute at the longest; times are those of the browser, its queue included. */
export async function loadTest(requests: number, tell: (summary: Summary) => void): Promise<Summary> {
  const startedMs = performance.now()
  const timesMs: number[] = []
  const statuses = new Map<string, number>()
  let failed = 0
  let started = 0
  const send = async (): Promise<void> => {
    const sentMs = performance.now()
    const status = await call('load-tolerant-api', '/api/data').then(
      (answer) => String(answer.status),
      (error: unknown) => (error instanceof Refused ? String(error.status) : 'no answer'),
    )
    timesMs.push(performance.now() - sentMs)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (!status.startsWith('2')) failed++
  }
  const client = async (): Promise<void> => {
    while (started < requests && performance.now() - startedMs < longestMs) {
      started++
      await send()
    }
  }
  const summary = (): Summary => summarize(timesMs, failed, performance.now() - startedMs, statuses)
  const timer = setInterval(() => tell(summary()), tellEveryMs)
  await Promise.all(Array.from({ length: atOnce }, client))
  clearInterval(timer)
  tell(summary())
  return summary()
}

function summarize(
  timesMs: readonly number[],
  failed: number,
  tookMs: number,
  statuses: ReadonlyMap<string, number>,
): Summary {
  const sorted = timesMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return {
    requests: sorted.length,
    failed,
    perSecond: (sorted.length * 1000) / tookMs,
    meanMs: sorted.reduce((sum, ms) => sum + ms, 0) / Math.max(1, sorted.length),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
    statuses: new Map(statuses),
  }
}
