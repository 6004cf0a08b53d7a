import type { ServerOptions } from '@ballast/service'
import type { Sample } from '../sample.ts'
import { readSeries } from './read-series.ts'

export interface SamplerOptions {
  readonly server: Pick<ServerOptions, 'name' | 'metrics' | 'health'>
  /** What the process is called on the page. */
  readonly service: string
  /** Beginnings of the names of the metrics that are shown. */
  readonly metrics: readonly string[]
  /** What the app adds; asked once for each sample. A rejection is shown as a trouble. */
  readonly state?: (() => Promise<Readonly<Record<string, unknown>>>) | undefined
}

const ofEveryProcess = ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']
/** What the app says of its store must not hold up what can be said without it. */
const patienceMs = 2_000

/** Never rejects: a store that is away or hangs is said so, beside what is known without it. */
export async function takeSample({ server, service, metrics, state }: SamplerOptions): Promise<Sample> {
  const said: string[] = []
  const orSay = async <T>(what: string, asked: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await within(patienceMs, asked())
    } catch (error) {
      said.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
      return otherwise
    }
  }
  const [text, own, health] = await Promise.all([
    orSay('metrics', async () => (await server.metrics.exposition(undefined)).body, ''),
    orSay('state', async () => (await state?.()) ?? {}, {}),
    orSay('health', () => server.health.probe('readyz'), { ok: true, checks: [] }),
  ])
  const failing = health.checks.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason ?? 'failed'}`)
  // A store that is away fails in several places, for one reason.
  const reasons = new Set(failing.map(reasonOf))
  return {
    service,
    atMs: Date.now(),
    series: readSeries(text, [...metrics, ...ofEveryProcess]),
    state: own,
    troubles: [...failing, ...said.filter((trouble) => !reasons.has(reasonOf(trouble)))],
  }
}

const reasonOf = (trouble: string): string => trouble.slice(trouble.indexOf(': ') + 2)

async function within<T>(limitMs: number, asked: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs)
  try {
    return await Promise.race([asked, promise])
  } finally {
    clearTimeout(timer)
  }
}
