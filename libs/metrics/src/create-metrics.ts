import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
} from 'prom-client'
import { exposition, type Exposition } from './exposition.ts'
import { renderSnapshot } from './render-snapshot.ts'
import { countsOf, mergeSnapshots, snapshotOf, type Snapshot } from './snapshot.ts'

export interface MetricsOptions {
  /** Value of the label `service` on every series. */
  service: string
  defaultLabels?: Readonly<Record<string, string>>
  /** Process metrics (CPU, memory, event-loop delay, garbage collection, file descriptors); off only in unit tests. */
  processMetrics?: boolean
}

/** The metrics of one process. There is no global registry: whoever measures is given this. */
export interface Metrics {
  readonly registry: Registry
  /** Name it `<app>_<noun>_total`. */
  counter<L extends string>(options: CounterConfiguration<L>): Counter<L>
  gauge<L extends string>(options: GaugeConfiguration<L>): Gauge<L>
  /** Durations are in seconds. Throws when buckets do not ascend, because prom-client would count wrongly in silence. */
  histogram<L extends string>(options: HistogramConfiguration<L>): Histogram<L>
  /** Everything measured so far, in the format that an `Accept` header asks for. */
  exposition(accept: string | undefined): Promise<Exposition>
  /** Everything measured so far by this process, to be sent to another one. */
  snapshot(): Promise<Snapshot>
  /** Its counters and histograms only, which cost little: no gauge is asked. */
  counts(): Promise<Snapshot>
  /** Whatever other processes have measured is part of each exposition from now on; exemplars no longer are. */
  addSource(source: () => Promise<Snapshot>): void
}

/** A metric that exists already under the same name is returned, so that two owners of one idea share one series. */
export function createMetrics({ service, defaultLabels = {}, processMetrics = true }: MetricsOptions): Metrics {
  // Exemplars are refused on a registry of the other format; which format goes out is decided per scrape.
  const registry: Registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE)
  const labels = { service, ...defaultLabels }
  registry.setDefaultLabels(labels)
  if (processMetrics) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const sources: (() => Promise<Snapshot>)[] = []
  const snapshot = (): Promise<Snapshot> => snapshotOf(registry, labels)
  return {
    registry,
    counter: (options) => {
      const existing = registry.getSingleMetric(options.name)
      return existing instanceof Counter ? existing : new Counter({ ...options, registers })
    },
    gauge: (options) => {
      const existing = registry.getSingleMetric(options.name)
      return existing instanceof Gauge ? existing : new Gauge({ ...options, registers })
    },
    histogram: (options) => {
      const existing = registry.getSingleMetric(options.name)
      if (existing instanceof Histogram) return existing
      const { buckets } = options
      if (buckets?.some((bound, index) => index > 0 && bound <= (buckets[index - 1] ?? -Infinity))) {
        throw new TypeError(`histogram ${options.name}: bucket bounds must ascend, got ${buckets.join(', ')}`)
      }
      return new Histogram({ ...options, registers })
    },
    async exposition(accept) {
      if (sources.length === 0) return exposition(registry, labels, accept)
      const taken = await Promise.all([snapshot, ...sources].map((source) => source()))
      const format = accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus'
      const contentType =
        format === 'openmetrics' ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE
      return { contentType, body: renderSnapshot(mergeSnapshots(taken), format) }
    },
    snapshot,
    counts: () => countsOf(registry, labels),
    addSource: (source) => void sources.push(source),
  }
}
